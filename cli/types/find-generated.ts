/** Finds a project's files of generated types: by their names and their first lines, so that nothing else lists them. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_FILES } from "../project/files.ts";
import { type FileOptions, optionsOf } from "./generated-text.ts";

/** Name of the file; others that end so are found as well. */
export const GENERATED_NAME = "messenger.gen.ts";

/** A file of generated types. */
export interface GeneratedFile {
  /** Relative to the project's folder, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly options: FileOptions;
}

const ENDING = ".gen.ts";
const MAX_DEPTH = 10;
/** Folders of installed and of built files. Hidden ones are left out as well. */
const SKIPPED = new Set(["node_modules", "dist", "build", "out", "coverage", "vendor"]);

/** Finds the files in a project's folder, in the order of their paths. */
export function findGenerated(root: string): GeneratedFile[] {
  return filesBelow(root, "", 0).flatMap((path) => {
    const found = readGenerated(root, path);
    return found ? [found] : [];
  }).sort((a, b) => a.path < b.path ? -1 : 1);
}

/** Reads a file of generated types; null if there is none, or it is not ours. */
export function readGenerated(root: string, path: string): GeneratedFile | null {
  const file = join(root, path);
  if (!existsSync(file)) return null;
  const text = readFileSync(file, "utf8");
  const options = optionsOf(text);
  return options && { path, text, options };
}

/** Where the first file is written: among the frontend's sources, if there are any. */
export function defaultPath(root: string): string {
  return existsSync(join(root, "src")) ? `src/${GENERATED_NAME}` : GENERATED_NAME;
}

function filesBelow(root: string, folder: string, depth: number): string[] {
  if (depth > MAX_DEPTH) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    if (entry.isFile()) return entry.name.endsWith(ENDING) ? [path] : [];
    // A link could lead into a circle.
    if (!entry.isDirectory() || entry.name.startsWith(".") || SKIPPED.has(entry.name)) return [];
    // Another project's files are its own.
    if (CONFIG_FILES.some((file) => existsSync(join(root, path, file)))) return [];
    return filesBelow(root, path, depth + 1);
  });
}
