/** Converts rows to the API's JSON: from SQL's snake_case to camelCase, and back for arguments. */

/** Fields with content of the user's, or with recorded arguments; their names stay unchanged. */
const OPAQUE = new Set(["payload", "stamps", "errors", "target", "result"]);

/** Returns the value with its field names in camelCase, at every depth. */
export function fromRow(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromRow);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      OPAQUE.has(name) ? field : fromRow(field),
    ]),
  );
}

/** Returns the object with its own field names in snake_case. Undefined fields are left out. */
export function toArguments(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
