/** Measures JSON without writing it. */

import { Buffer } from "node:buffer";

/** Characters that JSON may write in another way than as they are. */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;
/** Objects with more fields are written to be measured. */
const FEW = 8;

/** The length of a value as JSON, in characters. */
export function jsonLength(value: unknown): number {
  return measure(value, (text) => text.length);
}

/** The size of a value as JSON, in bytes of UTF-8. */
export function jsonBytes(value: unknown): number {
  return measure(value, (text) => Buffer.byteLength(text));
}

/**
 * Long plain texts are not written to be measured: they would be garbage of the same size, and a function has 256 MB.
 * @param sizeOf size of a text as it is
 */
function measure(value: unknown, sizeOf: (text: string) => number): number {
  if (typeof value === "string" && !ESCAPED.test(value)) return sizeOf(value) + 2;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return sizeOf(JSON.stringify(value));
  }
  const fields = Object.entries(value);
  if (fields.length === 0 || fields.length > FEW) return sizeOf(JSON.stringify(value));
  return fields.reduce(
    (sum, [name, part]) => sum + measure(name, sizeOf) + 2 + measure(part, sizeOf),
    1,
  );
}
