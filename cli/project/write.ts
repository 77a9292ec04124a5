/** Writes a plan's changes: all of them, or none. */

import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
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
    const left = undoAll(undo);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError(
      EXIT.conflict,
      "not_written",
      left.length === 0
        ? `nothing was written: ${reason}`
        : `not all was written: ${reason}; putting the rest back failed: ${left.join("; ")}`,
      {},
      { cause },
    );
  }
}

/** Undoes the steps, the latest first; one that fails keeps none of the others from it. @returns the reasons */
function undoAll(undo: readonly (() => void)[]): string[] {
  return undo.toReversed().flatMap((step) => {
    try {
      step();
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
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
    const { mode } = statSync(target);
    undo.push(() => before && writeFileSync(target, before, { mode }));
    rmSync(target);
    removeEmptyFolders(root, dirname(path), undo);
    return;
  }
  makeFolders(root, dirname(path), undo);
  if (before) replaceFile(realpathSync(target), before, text, undo);
  else createFile(target, text, undo);
}

/** @param target no link: a rename would take the link's place and leave the file that it leads to */
function replaceFile(target: string, before: Uint8Array, text: string, undo: (() => void)[]): void {
  // A rename asks the folder only, and would replace a file that is read-only.
  accessSync(target, constants.W_OK);
  const { mode } = statSync(target);
  const temporary = `${target}.symphony-${process.pid}`;
  undo.push(() => {
    removeIfThere(temporary);
    writeFileSync(target, before);
  });
  writeFileSync(temporary, text, { mode });
  // The mode of a new file is without the bits of the umask.
  chmodSync(temporary, mode);
  renameSync(temporary, target);
}

function createFile(target: string, text: string, undo: (() => void)[]): void {
  const temporary = `${target}.symphony-${process.pid}`;
  undo.push(() => {
    removeIfThere(temporary);
    removeIfThere(target);
  });
  writeFileSync(temporary, text);
  renameSync(temporary, target);
}

function removeIfThere(path: string): void {
  // Where a file has the name of the folder, rmSync fails in spite of force.
  if (existsSync(path)) rmSync(path);
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
