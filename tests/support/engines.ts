/** Node and Deno in the versions that the package is for; npm has them. */

import { tmpdir } from "node:os";
import { runProgram } from "./programs.ts";

const found = new Map<string, Promise<string>>();

/** Path of a Node of this major version. */
export function nodePath(major: 20 | 22): Promise<string> {
  return once(`node@${major}`, ["node", "-p", "process.execPath"]);
}

/** Path of this version of Deno; 2.1.4 is what hosted functions are compatible with. */
export function denoPath(version: "2.1.4"): Promise<string> {
  return once(`deno@${version}`, ["deno", "eval", "console.log(Deno.execPath())"]);
}

function once(name: string, command: readonly string[]): Promise<string> {
  const known = found.get(name);
  if (known) return known;
  const path = runProgram("npm", ["exec", "--yes", `--package=${name}`, "--", ...command], {
    // Deno 2.1.4 cannot read the lock file of this checkout.
    cwd: tmpdir(),
  }).then(({ stdout }) => stdout.trim());
  found.set(name, path);
  return path;
}
