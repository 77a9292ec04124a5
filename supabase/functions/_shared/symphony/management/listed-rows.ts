/** Rows as the API shows them: between SQL's snake_case and JSON's camelCase. */

/** Fields whose content is the user's, or a record of what SQL was told: it stays as it is. */
const OPAQUE = new Set(["payload", "stamps", "errors", "target"]);

/** The value with the names of its fields in camelCase, at every depth. */
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

/** The object with the names of its own fields in snake_case; what is undefined is left out. */
export function toArguments(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
