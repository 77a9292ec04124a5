/** Settings as paths and values, and whether two parsed documents are the same. */

/** A setting: where it is, from the top of the document, and its value. */
export interface Entry {
  readonly path: readonly string[];
  readonly value: string | boolean;
}

type Table = Record<string, unknown>;

/** The value at a path; undefined where there is none. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const name of path) {
    if (!isTable(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A copy of the document with a value at a path; undefined takes it away, and a table that it leaves empty. */
export function withValue(document: unknown, path: readonly string[], value: unknown): Table {
  const [name, ...rest] = path;
  const table: Table = isTable(document) ? { ...document } : {};
  if (name === undefined) return table;
  if (rest.length > 0) {
    const inner = withValue(table[name], rest, value);
    if (value === undefined && Object.keys(inner).length === 0) delete table[name];
    else table[name] = inner;
  } else if (value === undefined) delete table[name];
  else table[name] = value;
  return table;
}

/** A text that is the same for equal documents, whatever the order of their keys. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value instanceof Date) return `date ${value.toISOString()}`;
  if (!isTable(value)) {
    const type = typeof value;
    return type === "string" ? JSON.stringify(value) : `${type} ${String(value)}`;
  }
  const fields = Object.keys(value).sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${fields.join(",")}}`;
}

function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Date);
}
