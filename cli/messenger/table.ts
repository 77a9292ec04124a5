/** Formats responses of the API for people: tables, and fields one below the other. Pure functions. */

import { visible } from "../visible.ts";
import { showExactDuration, showMoment, showRelative } from "./times.ts";

/** An object of an answer. */
export type Entry = Readonly<Record<string, unknown>>;

/** How values are shown. */
export interface Look {
  /** Times with their zone, and nothing cut. */
  readonly wide: boolean;
  /** The terminal's columns; lines that are longer are cut. Infinity where it is no terminal. */
  readonly columns: number;
  readonly now: Date;
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/;
const DURATION = /Ms$|^(jitter|ttl)$/;
const SHORTEST = 12;
const HALF_AT_END = /[\ud800-\udbff]$/;

/** A table with a heading for each column, and whether something in it was cut. */
export function table(
  entries: readonly Entry[],
  columns: readonly string[],
  look: Look,
): { readonly text: string; readonly isCut: boolean } {
  const rows = [
    columns.map(heading),
    ...entries.map((entry) => columns.map((column) => show(entry[column], column, look))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...rows.map((row) => (row[index] ?? "").length))
  );
  // The last column is the one with long texts: it gets what the others leave.
  const last = columns.length - 1;
  const others = widths.slice(0, last).reduce((sum, width) => sum + width + 3, 0);
  const widest = look.wide ? Infinity : Math.max(SHORTEST, look.columns - others);
  let isCut = false;
  const lines = rows.map((row) =>
    row.map((cell, index) => {
      if (index < last) return cell.padEnd(widths[index] ?? 0);
      if (cell.length <= widest) return cell;
      isCut = true;
      return `${cell.slice(0, widest - 1).replace(HALF_AT_END, "")}…`;
    }).join("   ").trimEnd()
  );
  return { text: lines.join("\n"), isCut };
}

/** Fields one below the other; what is nested is JSON. */
export function fields(entry: Entry, look: Look): string {
  const names = Object.keys(entry);
  const width = Math.max(0, ...names.map((name) => name.length));
  return names.map((name) => {
    const value = entry[name];
    const isNested = typeof value === "object" && value !== null && !isCount(value);
    const text = isNested ? JSON.stringify(value, null, 2) : show(value, name, look, true);
    return `${name.padEnd(width)}   ${text.replaceAll("\n", `\n${" ".repeat(width + 3)}`)}`;
  }).join("\n");
}

function heading(column: string): string {
  return column.replace(/(Ms|At)$/, "").replace(/([A-Z])/g, "-$1").toUpperCase();
}

function show(value: unknown, name: string, { wide, now }: Look, full = false): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && DURATION.test(name)) return showExactDuration(value);
  if (isCount(value)) return `${value.count}${value.capped ? "+" : ""}`;
  if (typeof value === "object") return JSON.stringify(value);
  const text = String(value);
  if (!TIME.test(text)) return visible(full ? text : text.replace(/\s+/g, " "));
  const moment = new Date(text);
  if (full) return `${showMoment(moment)} (${showRelative(moment, now)})`;
  return wide ? showMoment(moment) : showRelative(moment, now);
}

function isCount(value: unknown): value is { count: number; capped: boolean } {
  return typeof value === "object" && value !== null && "capped" in value && "count" in value;
}
