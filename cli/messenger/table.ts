/** Answers as people read them: tables, and fields one below the other. Pure. */

type Entry = Readonly<Record<string, unknown>>;

const WIDEST = 60;

/** A table with a column for each name; columns that are empty everywhere are left out. */
export function table(entries: readonly Entry[], columns: readonly string[]): string {
  if (entries.length === 0) return "nothing";
  const used = columns.filter((column) => entries.some((entry) => show(entry[column]) !== ""));
  const rows = [used, ...entries.map((entry) => used.map((column) => show(entry[column])))];
  const widths = used.map((_, index) => Math.max(...rows.map((row) => (row[index] ?? "").length)));
  return rows.map((row) =>
    row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ").trimEnd()
  ).join("\n");
}

/** Fields one below the other; what is nested is JSON. */
export function fields(entry: Entry): string {
  const names = Object.keys(entry).filter((name) => entry[name] !== null);
  const width = Math.max(0, ...names.map((name) => name.length));
  return names.map((name) => {
    const value = entry[name];
    const isNested = typeof value === "object" && !isCount(value);
    const text = isNested ? JSON.stringify(value, null, 2) : show(value, Infinity);
    return `${name.padEnd(width)}  ${text.replaceAll("\n", `\n${" ".repeat(width + 2)}`)}`;
  }).join("\n");
}

function show(value: unknown, widest = WIDEST): string {
  if (value === null || value === undefined || value === false) return "";
  if (value === true) return "yes";
  if (isCount(value)) return `${value.count}${value.capped ? "+" : ""}`;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  // Whole seconds are enough to read.
  const line = text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)[.\d]*(Z|\+00:00)$/, "$1 $2")
    .replace(/\s+/g, " ");
  return line.length > widest ? `${line.slice(0, widest - 1)}…` : line;
}

function isCount(value: unknown): value is { count: number; capped: boolean } {
  return typeof value === "object" && value !== null && "capped" in value && "count" in value;
}
