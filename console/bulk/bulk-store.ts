/** The running change in the tab's storage, so that a reload continues it. */

import { type BulkProgress, isAtWork, isBulkVerb } from "./bulk-action.ts";

/** The part of `sessionStorage` that the store needs. */
export interface Storage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const KEY = "symphony.bulk";
const STATES = ["working", "stopping", "interrupted", "stopped", "failed", "ended"];

/** Writes the progress, or removes it if it is null. A full or forbidden storage costs only the continuation. */
export function storeBulk(storage: Storage, progress: BulkProgress | null): void {
  try {
    if (progress === null) storage.removeItem(KEY);
    else storage.setItem(KEY, JSON.stringify(progress));
  } catch {
    // The change itself goes its way.
  }
}

/**
 * Reads the progress that an earlier page of the tab has stored. A change at work is interrupted now, and its last
 * step may be done without having been counted.
 */
export function storedBulk(storage: Storage): BulkProgress | null {
  let stored: unknown;
  try {
    stored = JSON.parse(storage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
  if (!isProgress(stored)) return null;
  return isAtWork(stored) ? { ...stored, state: "interrupted", isShort: true } : stored;
}

/** Checks the text that a page of another release, or another script, may have stored. */
function isProgress(stored: unknown): stored is BulkProgress {
  if (typeof stored !== "object" || stored === null) return false;
  const { action, total, done, running, missing, cursor, idsOver, state, operator } =
    stored as BulkProgress;
  return typeof operator === "string" && STATES.includes(state) && isBulkVerb(action?.verb) &&
    typeof action.title === "string" && typeof action.body === "object" && action.body !== null &&
    (action.ids === null || Array.isArray(action.ids)) &&
    (cursor === null || typeof cursor === "string") &&
    [total?.count, done, running, missing, idsOver].every((one) => Number.isSafeInteger(one));
}
