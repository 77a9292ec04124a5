/** Inline tables of a TOML text: puts keys into them and takes them out, however deep they are. */

import { endOfString, equalsAfter, keyPath } from "./toml-items.ts";

/** A key of an inline table with its value. */
interface InlineItem {
  /** From the inline table: a dotted key has several names. */
  readonly path: readonly string[];
  /** Index of the key's first character. */
  readonly start: number;
  /** Index of the value's first character. */
  readonly valueAt: number;
  /** Index behind the value. */
  readonly end: number;
}

/**
 * Inserts keys into the table at a path below an inline table.
 * @param open index of the inline table's brace
 * @param path from the inline table; empty for itself
 * @param keysFor makes the text of the keys, with as many names of their path as are not written yet
 * @throws Error if the path leads through a value that is no inline table
 */
export function insertInline(
  text: string,
  open: number,
  path: readonly string[],
  keysFor: (names: number) => string,
): string {
  if (text[open] !== "{") throw new Error("not an inline table");
  const items = itemsIn(text, open);
  const inner = items.find((item) => beginsWith(path, item.path));
  if (inner) return insertInline(text, inner.valueAt, path.slice(inner.path.length), keysFor);
  const keys = keysFor(path.length + 1);
  const rest = text.slice(open + 1);
  return `${text.slice(0, open + 1)} ${keys}${items.length === 0 ? " " : ","}${rest}`;
}

/** Takes the key or the table at a path out of an inline table. @param open index of its brace */
export function cutInline(text: string, open: number, path: readonly string[]): string {
  if (text[open] !== "{") return text;
  const items = itemsIn(text, open);
  return items.reduceRight((rest, item, at) => {
    if (beginsWith(item.path, path)) {
      const next = items[at + 1];
      // With the last one goes the comma before it.
      const from = next ? item.start : items[at - 1]?.end ?? item.start;
      return rest.slice(0, from) + rest.slice(next?.start ?? item.end);
    }
    if (!beginsWith(path, item.path)) return rest;
    return cutInline(rest, item.valueAt, path.slice(item.path.length));
  }, text);
}

/** Whether a path has the other one at its beginning, or is it. */
export function beginsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.length <= path.length && start.every((name, at) => name === path[at]);
}

function itemsIn(text: string, open: number): InlineItem[] {
  const items: InlineItem[] = [];
  for (let at = open + 1; at < text.length;) {
    const char = text.charAt(at);
    if (char === "}") break;
    if (char === "#") at = endOfComment(text, at);
    else if (/[\s,]/.test(char)) at++;
    else {
      const equals = equalsAfter(text, at);
      const [space = ""] = /^[ \t]*/.exec(text.slice(equals + 1)) ?? [];
      const valueAt = equals + 1 + space.length;
      const end = endOfValue(text, valueAt);
      items.push({ path: keyPath(text.slice(at, equals)), start: at, valueAt, end });
      at = end;
    }
  }
  return items;
}

function endOfComment(text: string, start: number): number {
  const end = text.indexOf("\n", start);
  return end < 0 ? text.length : end;
}

/** The index behind a value, without the blanks before the comma or brace that ends it. */
function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < text.length) {
    const char = text.charAt(at);
    if (depth === 0 && ",}".includes(char)) break;
    if (char === '"' || char === "'") at = endOfString(text, at);
    else if (char === "#") at = endOfComment(text, at);
    else {
      if ("[{".includes(char)) depth++;
      if ("]}".includes(char)) depth--;
      at++;
    }
  }
  return start + text.slice(start, at).trimEnd().length;
}
