/** The files of the built console. */

import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CommandError, EXIT } from "../errors.ts";

/** A file that is served. */
export interface PageFile {
  readonly type: string;
  readonly body: Uint8Array;
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Beside the package's `lib/`; in a checkout, where `task console:build` puts it. */
const FOLDERS = ["../console", "../../dist/console"];

/**
 * Reads all files of the console: there are few, and a name that is not among them leads nowhere.
 * @param folder where they are; by default the package's own
 * @throws CommandError if there is no console
 */
export async function readPageFiles(folder?: string): Promise<ReadonlyMap<string, PageFile>> {
  const folders = folder
    ? [folder]
    : FOLDERS.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  for (const candidate of folders) {
    const names: readonly string[] = await readdir(candidate).catch(() => []);
    if (!names.includes("index.html")) continue;
    const files = names.filter((name) => extname(name) in TYPES).map(async (name) => {
      const body = new Uint8Array(await readFile(join(candidate, name)));
      return [`/${name}`, { type: TYPES[extname(name)] ?? "", body }] as const;
    });
    const found = new Map(await Promise.all(files));
    const index = found.get("/index.html");
    if (index) found.set("/", index);
    return found;
  }
  throw new CommandError(
    EXIT.nothing,
    "no_console",
    "the console is not built; in a checkout: npx -y deno@2 task console:build",
  );
}
