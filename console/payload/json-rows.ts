/**
 * A JSON value as the rows of a tree. Only what is open has rows, and of a long list or object only the first
 * part, so that a value with 10,000 keys, or a text of 1 MB, costs no more than what is on the screen.
 */

import { cutText } from "./visible-text.ts";

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | {
  readonly [key: string]: Json;
};

/** The open parts of a tree. It is never changed; each change makes another. */
export interface TreeState {
  /** Whether the containers of these paths are open; others are as `opensAtFirst` says. */
  readonly opened: ReadonlyMap<string, boolean>;
  /** How many entries of the containers of these paths are shown, or how much of a text. */
  readonly shown: ReadonlyMap<string, number>;
}

/** A row: a value with its key, or the offer to show more of the container or text before it. */
export interface TreeRow {
  /** JSON pointer of the value, or of what has more; unique among rows of the same kind. */
  readonly pointer: string;
  readonly kind: "object" | "array" | "string" | "number" | "boolean" | "null" | "more";
  /** Depth of the nesting; the value itself is at 1. */
  readonly level: number;
  /** Name of the field, or index; null for the value itself. */
  readonly key: string | null;
  /** Text of a value, cut; what a closed container has; or how much is left out. */
  readonly text: string;
  /** Number of entries of a container, or of UTF-16 code units of a text. */
  readonly size: number;
  readonly isOpen: boolean;
  /** Place among its siblings, from 1, and how many there are. */
  readonly place: number;
  readonly siblings: number;
}

/** Entries of a container that are shown at first, and that are added each time. */
export const ENTRIES = 100;
/** Length of a text that is shown at first, in UTF-16 code units. */
export const TEXT_LENGTH = 500;
/** Length that is added to a text each time. */
export const TEXT_STEP = 20_000;
const NUMBER = new Intl.NumberFormat("en");
/** Rows that a tree opens by itself. */
const ROWS_AT_FIRST = 60;
/** Deepest level that is shown: each level costs a call. */
const DEEPEST = 200;

/** A tree in which nothing was opened or closed. */
export const UNTOUCHED: TreeState = { opened: new Map(), shown: new Map() };

/** Opens or closes a container. */
export function setOpen(state: TreeState, pointer: string, isOpen: boolean): TreeState {
  return { ...state, opened: new Map(state.opened).set(pointer, isOpen) };
}

/** Shows more of the container or text at a pointer: ten times the entries that are shown, or a further piece. */
export function showMore(state: TreeState, { pointer, kind }: TreeRow): TreeState {
  const isText = kind === "string";
  const before = state.shown.get(pointer) ?? (isText ? TEXT_LENGTH : ENTRIES);
  const next = isText ? before + TEXT_STEP : Math.min(before * 10, before + 1_000);
  return { ...state, shown: new Map(state.shown).set(pointer, next) };
}

/** The rows of a value, from top to bottom. */
export function rowsOf(value: Json, state: TreeState): TreeRow[] {
  const rows: TreeRow[] = [];
  addRows(rows, state, value, { pointer: "", key: null, level: 1, place: 1, siblings: 1 });
  return rows;
}

type Place = Pick<TreeRow, "pointer" | "key" | "level" | "place" | "siblings">;

function addRows(rows: TreeRow[], state: TreeState, value: Json, place: Place): void {
  if (typeof value !== "object" || value === null) {
    rows.push({ ...place, ...scalar(value, state.shown.get(place.pointer)), isOpen: false });
    return;
  }
  const kind = Array.isArray(value) ? "array" : "object";
  const keys = Array.isArray(value) ? null : Object.keys(value);
  const size = keys ? keys.length : (value as readonly Json[]).length;
  const isOpen = size > 0 && place.level < DEEPEST &&
    (state.opened.get(place.pointer) ?? opensAtFirst(rows.length, size, place.level));
  rows.push({ ...place, kind, size, isOpen, text: sizeInWords(kind, size) });
  if (!isOpen) return;
  const shown = Math.min(size, state.shown.get(place.pointer) ?? ENTRIES);
  for (let index = 0; index < shown; index++) {
    const key = keys?.[index] ?? String(index);
    addRows(rows, state, entryOf(value, key), {
      pointer: `${place.pointer}/${escapeKey(key)}`,
      key,
      level: place.level + 1,
      place: index + 1,
      siblings: size,
    });
  }
  if (shown < size) rows.push(moreRow(place, size, shown));
}

function entryOf(value: Json, key: string): Json {
  return (value as Readonly<Record<string, Json>>)[key] ?? null;
}

function moreRow({ pointer, level }: Place, size: number, shown: number): TreeRow {
  return {
    ...{ pointer, kind: "more", level: level + 1, key: null, size: size - shown, isOpen: false },
    text: `${NUMBER.format(size - shown)} more`,
    ...{ place: shown + 1, siblings: size },
  };
}

function opensAtFirst(rows: number, size: number, level: number): boolean {
  return level === 1 || rows + Math.min(size, ENTRIES) <= ROWS_AT_FIRST;
}

function scalar(
  value: Exclude<Json, object> | null,
  shown = TEXT_LENGTH,
): Pick<TreeRow, "kind" | "text" | "size"> {
  if (value === null) return { kind: "null", text: "null", size: 0 };
  const kind = typeof value as "string" | "number" | "boolean";
  return typeof value === "string"
    ? { kind, text: cutText(value, shown), size: value.length }
    : { kind, text: String(value), size: 0 };
}

function sizeInWords(kind: "array" | "object", size: number): string {
  const [one, many] = kind === "array" ? ["entry", "entries"] : ["field", "fields"];
  return size === 0 ? "empty" : `${NUMBER.format(size)} ${size === 1 ? one : many}`;
}

/** Escapes a key for a JSON pointer (RFC 6901). */
export function escapeKey(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}
