/**
 * Puts settings into a TOML text and takes them out again, as text: comments, order, line ends and a byte order
 * mark stay. The result is parsed and compared; what does not come out as meant is not returned.
 */

import { parse } from "smol-toml";
import { canonical, type Entry, valueAt, withValue } from "./config-entry.ts";
import { beginsWith, cutInline, insertInline } from "./toml-inline.ts";
import { itemsOf, type TomlItem } from "./toml-items.ts";

const BOM = "\uFEFF";

/**
 * Parses TOML, with or without a byte order mark.
 * @throws an Error with `line` if it is none
 */
export function parseToml(text: string): Record<string, unknown> {
  return parse(text.replace(/^\uFEFF/, ""), { integersAsBigInt: "asNeeded" });
}

/** The text with the entries that it lacks; null where they cannot be inserted safely. */
export function addToToml(text: string, entries: readonly Entry[]): string | null {
  const before = parseToml(text);
  const missing = entries.filter(({ path }) => valueAt(before, path) === undefined);
  if (missing.length === 0) return text;
  let body = text.startsWith(BOM) ? text.slice(1) : text;
  try {
    for (const [table, values] of byTable(missing)) body = insert(body, table, values);
  } catch {
    return null;
  }
  const expected = missing.reduce((all, { path, value }) => withValue(all, path, value), before);
  return checked(text.startsWith(BOM) ? BOM + body : body, expected);
}

/** The text without the values at these paths; null where they cannot be taken out safely. */
export function removeFromToml(text: string, paths: readonly (readonly string[])[]): string | null {
  const before = parseToml(text);
  const present = paths.filter((path) => valueAt(before, path) !== undefined);
  if (present.length === 0) return text;
  let body = text.startsWith(BOM) ? text.slice(1) : text;
  for (const path of present) body = cut(body, path);
  const expected = present.reduce((all, path) => withValue(all, path, undefined), before);
  const emptied = (document: unknown) => withoutEmpty(document, present);
  return checked(text.startsWith(BOM) ? BOM + body : body, expected, emptied);
}

/** The document without the tables at these paths' beginnings that hold nothing: their headers may stay. */
function withoutEmpty(document: unknown, paths: readonly (readonly string[])[]): unknown {
  return paths.flatMap((path) => path.map((_, at) => path.slice(0, path.length - at - 1)))
    .filter((table) => table.length > 0 && canonical(valueAt(document, table)) === "{}")
    .reduce((all, table) => withValue(all, table, undefined), document);
}

function checked(
  text: string,
  expected: unknown,
  seen: (document: unknown) => unknown = (document) => document,
): string | null {
  try {
    return canonical(seen(parseToml(text))) === canonical(seen(expected)) ? text : null;
  } catch {
    return null;
  }
}

/** The entries as a snippet of TOML, for people who insert them themselves. */
export function tomlSnippet(entries: readonly Entry[]): string {
  return byTable(entries).map(([table, values]) => section(table, values, "\n")).join("\n");
}

function byTable(entries: readonly Entry[]): [readonly string[], Entry[]][] {
  const tables = new Map<string, [readonly string[], Entry[]]>();
  for (const entry of entries) {
    const table = entry.path.slice(0, -1);
    const key = JSON.stringify(table);
    const found = tables.get(key) ?? [table, []];
    found[1].push(entry);
    tables.set(key, found);
  }
  return [...tables.values()];
}

function insert(text: string, table: readonly string[], values: readonly Entry[]): string {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const items = itemsOf(text);
  const header = items.find(({ kind, path }) => kind === "header" && isSame(path, table));
  if (header) {
    const last = lastOfSection(items, header);
    return splice(text, last.end, values.map((value) => keyLine(value, 1)).join(newline), newline);
  }
  const inline = items.find(({ kind, path }) => kind === "key" && beginsWith(table, path));
  if (inline) {
    const keysFor = (names: number) => values.map((value) => keyLine(value, names)).join(", ");
    return insertInline(text, inline.valueAt, table.slice(inline.path.length), keysFor);
  }
  const dotted = items.findLast(({ kind, path, tableDepth }) =>
    kind === "key" && tableDepth < table.length && path.length > table.length &&
    isSame(path.slice(0, table.length), table)
  );
  if (dotted) {
    const names = table.length - dotted.tableDepth + 1;
    const lines = values.map((value) => keyLine(value, names)).join(newline);
    return splice(text, dotted.end, lines, newline);
  }
  const gap = text.trim() === "" ? "" : newline;
  const added = section(table, values, newline).trimEnd();
  return splice(text, text.length, gap + added, newline);
}

/** Inserts whole lines at an index where a line begins, or at an end that lacks its line end. */
function splice(text: string, at: number, lines: string, newline: string): string {
  const before = text.slice(0, at);
  const gap = before === "" || before.endsWith("\n") ? "" : newline;
  return `${before}${gap}${lines}${newline}${text.slice(at)}`;
}

function lastOfSection(items: readonly TomlItem[], header: TomlItem): TomlItem {
  let last = header;
  for (const item of items.slice(items.indexOf(header) + 1)) {
    if (item.kind !== "key") break;
    last = item;
  }
  return last;
}

/** Takes out the table or the key at a path: its lines, and the blank line above a table. */
function cut(text: string, path: readonly string[]): string {
  const items = itemsOf(text);
  const inline = items.find((item) =>
    item.kind === "key" && item.path.length < path.length && beginsWith(path, item.path)
  );
  if (inline) return cutInline(text, inline.valueAt, path.slice(inline.path.length));
  const parts = items.filter((item) => beginsWith(item.path, path));
  const removed = new Set(parts);
  // A header whose keys all go would stay as an empty table. Comments below it may be settings that wait for it.
  for (const header of items.filter(({ kind }) => kind === "header")) {
    const keys = keysBelow(items, header);
    const isEmptied = keys.length > 0 && keys.every((key) => removed.has(key));
    if (isEmptied && !hasComment(text, items, header)) removed.add(header);
  }
  return [...removed].sort((a, b) => b.start - a.start).reduce((rest, { kind, start, end }) => {
    const before = rest.slice(0, start);
    const head = kind === "key" ? before : before.replace(/(\r?\n)[ \t]*\r?\n$/, "$1");
    return head + rest.slice(end);
  }, text);
}

/** Whether a line below a header, up to a blank one or to the next header, is a comment. */
function hasComment(text: string, items: readonly TomlItem[], header: TomlItem): boolean {
  const next = items.slice(items.indexOf(header) + 1).find(({ kind }) => kind !== "key");
  const [section = ""] = text.slice(header.end, next?.start).split(/\r?\n[ \t]*\r?\n/, 1);
  return /^[ \t]*#/m.test(section);
}

function keysBelow(items: readonly TomlItem[], header: TomlItem): TomlItem[] {
  const rest = items.slice(items.indexOf(header) + 1);
  const next = rest.findIndex(({ kind }) => kind !== "key");
  return next < 0 ? rest : rest.slice(0, next);
}

function section(table: readonly string[], values: readonly Entry[], newline: string): string {
  const lines = values.map((value) => keyLine(value, 1));
  return [`[${table.map(quote).join(".")}]`, ...lines, ""].join(newline);
}

/** @param names how many names of the path stand in the key */
function keyLine({ path, value }: Entry, names: number): string {
  return `${path.slice(-names).map(quote).join(".")} = ${JSON.stringify(value)}`;
}

function quote(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : JSON.stringify(name);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}
