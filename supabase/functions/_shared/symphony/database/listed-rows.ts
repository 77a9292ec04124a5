/** Converts rows to the API's JSON: from SQL's snake_case to camelCase, and back for arguments. */

/** Fields with content of the user's or of a request, or with recorded arguments; their names stay unchanged. */
const OPAQUE = new Set(["payload", "stamps", "errors", "target", "result", "value", "body"]);

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

/** Which messages or dead letters are meant, by facts of their dispatch and their last error. A field that is left out matches all. */
export interface OriginFilter {
  readonly groupKey?: string | undefined;
  /** Id of the user who dispatched them. */
  readonly user?: string | undefined;
  readonly createdFrom?: Date | undefined;
  /** Not included. */
  readonly createdUntil?: Date | undefined;
  /** Part of the last error's text. */
  readonly error?: string | undefined;
}

/** Returns the arguments of a filter and of what stands beside it. */
export function toFilterArguments<Filter extends OriginFilter>(
  { user, ...fields }: Filter,
): Record<string, unknown> {
  return toArguments({ ...fields, userId: user });
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
