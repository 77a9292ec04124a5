/** A user's Supabase project: where it is, and the texts of it that a plan goes by. */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { UsageError } from "../errors.ts";

/** Texts by path relative to the project's folder, with slashes: `supabase/config.toml`. */
export type Files = ReadonlyMap<string, string>;

/** The names of config files, the one that takes precedence first. */
export const CONFIG_FILES = [
  "supabase/config.json",
  "supabase/config.jsonc",
  "supabase/config.toml",
] as const;

/** Beyond this many bytes a file is data, such as a seed, and is not read. Of a migration the name still counts. */
const MAX_BYTES = 20_000_000;
const MAX_DEPTH = 8;
const READ = /\.(sql|ts|js|jsonc?|toml)$|(^|\/)deno\.lock$/;
const MIGRATION = /^supabase\/migrations\/[^/]+\.sql$/;
const SKIPPED = new Set(["node_modules", ".git", ".temp", ".branches"]);

/**
 * Finds the folder that holds `supabase/`, as the Supabase CLI does: `workdir`, or else SUPABASE_WORKDIR, exactly as
 * given, or the nearest folder from `cwd` upwards.
 * @throws UsageError if there is no project
 */
export function findProject(
  cwd: string,
  workdir?: string,
  variable = process.env.SUPABASE_WORKDIR,
): string {
  const given = workdir ?? (variable || undefined);
  if (given !== undefined) {
    const root = resolve(cwd, given);
    if (hasProject(root)) return root;
    throw new UsageError(
      `${
        workdir === undefined ? "SUPABASE_WORKDIR" : "--workdir"
      }: ${root} has no supabase/config.toml; run \`npx supabase@3 init\` there first`,
    );
  }
  for (let folder = resolve(cwd);; folder = dirname(folder)) {
    if (hasProject(folder)) return folder;
    if (dirname(folder) === folder) break;
  }
  throw new UsageError(
    `supabase/config.toml: not found in ${cwd} or a folder above; run \`npx supabase@3 init\` first, ` +
      "or name the project's folder with --workdir",
  );
}

function hasProject(root: string): boolean {
  return CONFIG_FILES.some((path) => existsSync(join(root, path)));
}

/**
 * Reads what plans go by: everything of `supabase/` that is code, SQL or settings, and the lock files.
 * @throws UsageError if the config file is no UTF-8, which could not be written back as it was
 */
export function readProject(root: string): Map<string, string> {
  const files = new Map<string, string>();
  readFolder(root, "supabase", files, 0);
  for (const path of ["deno.lock", "supabase/deno.lock"]) {
    if (existsSync(join(root, path))) files.set(path, readText(root, path));
  }
  return files;
}

function readFolder(root: string, path: string, files: Map<string, string>, depth: number): void {
  if (depth > MAX_DEPTH) return;
  for (const name of reading(path, () => readdirSync(join(root, path)))) {
    const child = `${path}/${name}`;
    if (SKIPPED.has(name)) continue;
    // A link may lead to a folder as well.
    const stat = reading(child, () => statSync(join(root, child), { throwIfNoEntry: false }));
    if (stat?.isDirectory()) readFolder(root, child, files, depth + 1);
    else if (!stat?.isFile() || !READ.test(child)) continue;
    else if (stat.size <= MAX_BYTES) files.set(child, readText(root, child));
    else if (MIGRATION.test(child)) files.set(child, "");
  }
}

function readText(root: string, path: string): string {
  const bytes = reading(path, () => readFileSync(join(root, path)));
  const isConfig = (CONFIG_FILES as readonly string[]).includes(path);
  try {
    return new TextDecoder("utf-8", { fatal: isConfig, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new UsageError(`${path}: is not UTF-8; save it as UTF-8 first`);
  }
}

/** @throws UsageError with the path where the file system refuses */
function reading<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const { code = String(error) } = error as { code?: string };
    throw new UsageError(`${path}: cannot be read (${code})`);
  }
}

/** The number of the line, from 1, that holds the character at an index. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
