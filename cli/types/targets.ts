/** Which files a run of `types` is about. */

import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { UsageError } from "../errors.ts";
import { defaultPath, findGenerated, type GeneratedFile, readGenerated } from "./find-generated.ts";

/** The flags that say which files are meant. */
export interface TargetFlags {
  readonly out?: string;
  readonly all?: boolean;
  readonly messages?: string;
}

/**
 * Chooses the files: the one of `--out`, else those that the project has, else one at the default place. A file that
 * is there keeps the options of its first line, where the command line gives no others.
 * @param cwd the folder that paths of the command line begin from
 * @throws UsageError if a flag is wrong, or a file is not one that the command wrote
 */
export function targetsOf(root: string, cwd: string, flags: TargetFlags): GeneratedFile[] {
  const messages = flags.messages === undefined ? undefined : within(root, cwd, flags.messages);
  const withFlags = (file: GeneratedFile): GeneratedFile => ({
    ...file,
    options: {
      all: flags.all ?? file.options.all,
      messages: messages ?? file.options.messages,
    },
  });
  if (flags.out !== undefined) return [withFlags(fileAt(root, outOf(root, cwd, flags.out)))];
  const found = findGenerated(root);
  if (found.length > 1 && (flags.all !== undefined || messages !== undefined)) {
    const paths = found.map(({ path }) => path).join(", ");
    throw new UsageError(`--out: is missing; say which file is meant: ${paths}`);
  }
  return (found.length > 0 ? found : [fileAt(root, defaultPath(root))]).map(withFlags);
}

/** The path of `--out`, from the project's folder. */
function outOf(root: string, cwd: string, out: string): string {
  if (out.endsWith(".ts")) return within(root, cwd, out);
  throw new UsageError(
    `--out: has to be the name of a TypeScript file (${out}); such as src/messenger.gen.ts`,
  );
}

function within(root: string, cwd: string, path: string): string {
  return relative(root, resolve(cwd, path)).replaceAll("\\", "/");
}

/** A file that is there, or one to be written. */
function fileAt(root: string, path: string): GeneratedFile {
  const found = readGenerated(root, path);
  if (found) return found;
  const file = join(root, path);
  if (existsSync(file) && readFileSync(file, "utf8").trim() !== "") {
    throw new UsageError(
      `${path}: was not written by this command; remove it, or name another file with --out`,
    );
  }
  return { path, text: "", options: { all: false, messages: undefined } };
}
