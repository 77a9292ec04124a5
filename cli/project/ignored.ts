/** Warns of files that git leaves out of commits: other people and deployments from a repository would lack them. */

import { spawnSync } from "node:child_process";
import { type Change, type Note, warning } from "./plan.ts";

/** A repository of any size tells this in milliseconds. */
const TIMEOUT_MS = 5_000;

/** A warning for each file that is written and ignored; none where there is no git, or no repository. */
export function ignoredNotes(root: string, changes: readonly Change[]): Note[] {
  const paths = changes.filter(({ text }) => text !== null).map(({ path }) => path);
  const { status, stdout } = spawnSync("git", ["check-ignore", "-v", "-z", "--stdin"], {
    cwd: root,
    input: paths.join("\0"),
    timeout: TIMEOUT_MS,
    encoding: "utf8",
    windowsHide: true,
  });
  if (status !== 0) return [];
  // Source, line, pattern and path of each file.
  const fields = stdout.split("\0");
  return paths.flatMap((path) => {
    const at = fields.indexOf(path);
    if (at < 3) return [];
    const [source, line, pattern] = fields.slice(at - 3, at);
    return [warning(
      path,
      `git ignores it: ${source}:${line} has ${pattern}`,
      `Take the pattern out, or commit the file with git add --force ${path}.`,
    )];
  });
}
