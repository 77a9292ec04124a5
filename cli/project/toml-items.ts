/** Where the headers and keys of a TOML text are. Values are left to the parser; only their ends are found here. */

import { parse } from "smol-toml";

/** A header, or a key with its value. */
export interface TomlItem {
  readonly kind: "header" | "array" | "key";
  /** From the top of the document: a key includes its table's path. */
  readonly path: readonly string[];
  /** How many of the path's names are written in the header above; 0 at the top of the file. */
  readonly tableDepth: number;
  /** Index of the first character of its first line. */
  readonly start: number;
  /** Index behind its last line, line end included. */
  readonly end: number;
  /** Index of the value's first character; of no meaning for headers. */
  readonly valueAt: number;
}

/**
 * Finds the items of a valid TOML text, in order.
 * @param text without a byte order mark
 */
export function itemsOf(text: string): TomlItem[] {
  const items: TomlItem[] = [];
  let table: readonly string[] = [];
  for (let start = 0; start < text.length;) {
    const [blank = ""] = /^[ \t]*/.exec(text.slice(start, start + 1000)) ?? [];
    const at = start + blank.length;
    const end = endOfItem(text, at);
    const first = text[at];
    if (first === "[") {
      table = headerPath(text.slice(at, end));
      const kind = text[at + 1] === "[" ? "array" : "header";
      items.push({ kind, path: table, tableDepth: table.length, start, end, valueAt: end });
    } else if (first !== undefined && !"#\r\n".includes(first)) {
      const equals = equalsAfter(text, at);
      const key = keyPath(text.slice(at, equals));
      const [space = ""] = /^[ \t]*/.exec(text.slice(equals + 1)) ?? [];
      items.push({
        kind: "key",
        path: [...table, ...key],
        tableDepth: table.length,
        start,
        end,
        valueAt: equals + 1 + space.length,
      });
    }
    start = end;
  }
  return items;
}

/** The index behind the line on which an item ends: brackets and strings may lead over several lines. */
function endOfItem(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    const char = text.charAt(at);
    if (char === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (char === '"' || char === "'") at = endOfString(text, at);
    else {
      if (char === "\n" && depth === 0) return at + 1;
      if ("[{".includes(char)) depth++;
      if ("]}".includes(char)) depth--;
      at++;
    }
  }
  return text.length;
}

/** The index behind the string that begins at an index. */
export function endOfString(text: string, start: number): number {
  const quote = text.charAt(start);
  const isLong = text.startsWith(quote.repeat(3), start);
  const close = isLong ? quote.repeat(3) : quote;
  let at = start + close.length;
  while (at < text.length && !text.startsWith(close, at)) {
    at += quote === '"' && text[at] === "\\" ? 2 : 1;
  }
  at += close.length;
  // A long string may end with quotes of its own: """a""""".
  while (isLong && text[at] === quote) at++;
  return at;
}

/** The index of the equals sign behind the key that begins at an index. */
export function equalsAfter(text: string, start: number): number {
  for (let at = start;;) {
    const char = text[at];
    if (char === "=" || char === undefined) return at;
    at = char === '"' || char === "'" ? endOfString(text, at) : at + 1;
  }
}

/** The names of a key, which may be dotted and quoted. */
export function keyPath(key: string): string[] {
  return pathOf(parse(`${key}= 0`));
}

function headerPath(line: string): string[] {
  return pathOf(parse(line));
}

/** The one path of a document with one key. */
function pathOf(document: unknown): string[] {
  const path: string[] = [];
  for (let value = document; typeof value === "object" && value !== null;) {
    const table = Array.isArray(value) ? value[0] : value;
    const [entry] = Object.entries(table as object);
    if (!entry) break;
    path.push(entry[0]);
    value = entry[1];
  }
  return path;
}
