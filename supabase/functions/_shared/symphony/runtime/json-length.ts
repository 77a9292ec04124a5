/** Measures JSON without writing it. */

/** Characters that JSON may write in another way than as they are. */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;
/** Objects with more fields are written to be measured. */
const FEW = 8;

/**
 * The length of a value as JSON, in characters. Long plain texts are not written for it: they would be garbage of the
 * same size, and a function has 256 MB.
 */
export function jsonLength(value: unknown): number {
  if (typeof value === "string" && !ESCAPED.test(value)) return value.length + 2;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return JSON.stringify(value).length;
  }
  const fields = Object.entries(value);
  if (fields.length === 0 || fields.length > FEW) return JSON.stringify(value).length;
  return fields.reduce((sum, [name, part]) => sum + jsonLength(name) + 2 + jsonLength(part), 1);
}
