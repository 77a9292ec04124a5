/** Writes a plan's changes: all of them, or none. */

import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { CommandError, EXIT } from "../errors.ts";
import type { Files } from "./files.ts";
import type { Change } from "./plan.ts";

/**
 * Writes the changes. Where one fails, what was written before is put back.
 * @param files the texts that the plan was made of: a file that has changed since is not overwritten
 * @throws CommandError if a file cannot be written or has changed; the project is as it was before
 */
export function writeChanges(root: string, changes: readonly Change[], files: Files): void {
  const undo: (() => void)[] = [];
  try {
    for (const change of changes) writeChange(root, change, files, undo);
  } catch (cause) {
    for (const step of undo.reverse()) step();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      EXIT.conflict,
      "not_written",
      `nothing was written: ${reason}`,
      {},
      { cause },
    );
  }
}

function writeChange(
  root: string,
  { path, text }: Change,
  files: Files,
  undo: (() => void)[],
): void {
  const target = join(root, path);
  const before = existsSync(target) ? readFileSync(target) : null;
  const planned = files.get(path);
  const found = before && new TextDecoder("utf-8", { ignoreBOM: true }).decode(before);
  if ((found ?? undefined) !== planned) throw new Error(`${path}: has changed meanwhile`);
  if (text === null) {
    undo.push(() => before && writeFileSync(target, before));
    rmSync(target);
    removeEmptyFolders(root, dirname(path), undo);
    return;
  }
  makeFolders(root, dirname(path), undo);
  const temporary = `${target}.symphony-${process.pid}`;
  undo.push(() => {
    rmSync(temporary, { force: true });
    if (before) writeFileSync(target, before);
    else rmSync(target, { force: true });
  });
  writeFileSync(temporary, text);
  renameSync(temporary, target);
}

function makeFolders(root: string, path: string, undo: (() => void)[]): void {
  if (path === "." || existsSync(join(root, path))) return;
  makeFolders(root, dirname(path), undo);
  mkdirSync(join(root, path));
  undo.push(() => rmdirSync(join(root, path)));
}

/** A function's folder without files would still be a folder, and git does not know it. */
function removeEmptyFolders(root: string, path: string, undo: (() => void)[]): void {
  if (!`${path}/`.startsWith("supabase/functions/")) return;
  try {
    rmdirSync(join(root, path));
  } catch {
    // It holds files of the user's.
    return;
  }
  undo.push(() => mkdirSync(join(root, path), { recursive: true }));
  removeEmptyFolders(root, dirname(path), undo);
}
