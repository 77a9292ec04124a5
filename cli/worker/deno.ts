/** Finds the program of Deno, which the user's TypeScript needs: given, on PATH, in node_modules, or npm's. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { CommandError, EXIT, UsageError } from "../errors.ts";

/** The version that npx fetches where there is none. */
export const PINNED = "2.9.6";
/** The oldest that runs the library: hosted functions are compatible with it. */
const OLDEST = "2.1.4";
/** npx may have to download 50 MB. */
const LONGEST_MS = 300_000;

/** Where to look. */
export interface DenoSearch {
  /** The program that the user names. */
  readonly given: string | undefined;
  /** The project's folder: node_modules of it and above are looked through. */
  readonly root: string;
  readonly path?: string | undefined;
  /** Whether npx may fetch it; default: true. */
  readonly fetches?: boolean;
}

/**
 * Finds Deno.
 * @returns the path of the program itself: a wrapper such as npx's would not pass signals on
 * @throws UsageError if the named one does not run, or is too old
 * @throws CommandError if there is none, and npx cannot fetch it or may not
 */
export function findDeno(
  { given, root, path = process.env.PATH, fetches = true }: DenoSearch,
): string {
  if (given) {
    const found = probe(given, []);
    if (!found) throw new UsageError(`--deno: does not run (${given}); name the program of Deno`);
    if (isOlder(found.version)) {
      throw new UsageError(`--deno: is ${found.version}; Deno ${OLDEST} or newer is needed`);
    }
    return found.program;
  }
  if (process.versions.deno !== undefined) return process.execPath;
  for (const candidate of [...onPath(path ?? ""), ...inNodeModules(root)]) {
    const found = probe(candidate, []);
    if (found && !isOlder(found.version)) return found.program;
  }
  const fetched = fetches && probe("npx", ["-y", `deno@${PINNED}`]);
  if (fetched) return fetched.program;
  throw new CommandError(
    EXIT.nothing,
    "no_deno",
    `Deno: is neither on PATH nor in node_modules${
      fetches ? `, and npx cannot fetch deno@${PINNED}` : ""
    }; install it ` +
      "(npm install deno, or https://deno.com), or name it with --deno",
  );
}

const SUFFIX = process.platform === "win32" ? ".cmd" : "";

function onPath(path: string): string[] {
  const names = process.platform === "win32" ? ["deno.exe", "deno.cmd"] : ["deno"];
  return path.split(delimiter).filter((folder) => folder !== "")
    .flatMap((folder) => names.map((name) => join(folder, name))).filter((file) =>
      existsSync(file)
    );
}

function inNodeModules(root: string): string[] {
  const folders: string[] = [];
  for (let folder = root;; folder = dirname(folder)) {
    folders.push(join(folder, "node_modules", ".bin", `deno${SUFFIX}`));
    if (dirname(folder) === folder) break;
  }
  return folders.filter((file) => existsSync(file));
}

/** Asks a Deno for its own path and version; undefined if it does not run. */
function probe(
  command: string,
  args: readonly string[],
): { readonly program: string; readonly version: string } | undefined {
  const code = "console.log(JSON.stringify([Deno.execPath(),Deno.version.deno]))";
  const { status, stdout } = spawnSync(command, [...args, "eval", code], {
    encoding: "utf8",
    timeout: LONGEST_MS,
    // Scripts of npm are batch files there.
    shell: process.platform === "win32",
    env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
  });
  if (status !== 0) return undefined;
  const line = stdout.trim().split("\n").at(-1) ?? "";
  try {
    const [program, version] = JSON.parse(line);
    return { program, version };
  } catch {
    return undefined;
  }
}

/** Whether a version is older than the oldest that runs the library. */
export function isOlder(version: string, than = OLDEST): boolean {
  const parts = (text: string) => text.split(/[.-]/, 3).map(Number);
  const [a, b] = [parts(version), parts(than)];
  const index = a.findIndex((part, index) => part !== b[index]);
  return index >= 0 && (a[index] ?? 0) < (b[index] ?? 0);
}
