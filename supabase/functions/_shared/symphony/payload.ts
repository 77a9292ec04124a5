/** What a payload has to be: JSON that the database can keep as it is, and what its schema says. */

import { z } from "zod";
import { InvalidPayloadError } from "./errors.ts";

// Deeper nesting than any real message has, and far less than what overflows a parser's stack.
const MAX_DEPTH = 100;

// In JSON text: U+0000, and halves of surrogate pairs, neither of which jsonb can hold.
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/**
 * Turns a payload into the JSON that the handler will get: dates become strings, undefined goes.
 * @param maxBytes how long it may be as JSON, in bytes of UTF-8
 * @throws InvalidPayloadError if it is no JSON, nested too deeply, too long, or holds a character that
 * Postgres's jsonb cannot
 */
export function toStorableJson(type: string, payload: unknown, maxBytes = Infinity): unknown {
  const copy = maxBytes === Infinity ? copyOfJson(payload, MAX_DEPTH) : undefined;
  if (copy !== undefined) return copy;

  const refuse = (message: string) =>
    new InvalidPayloadError(type, [{ code: "custom", path: [], message, input: payload }]);
  if (depthExceeds(payload, MAX_DEPTH)) throw refuse(`nested deeper than ${MAX_DEPTH} levels`);
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    throw refuse(`cannot be written as JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (text === undefined) throw refuse("cannot be written as JSON");
  if (UNSTORABLE.test(text)) throw refuse("holds U+0000 or half of a surrogate pair");
  const bytes = maxBytes === Infinity ? 0 : new TextEncoder().encode(text).length;
  if (bytes > maxBytes) throw refuse(`may have ${maxBytes} bytes as JSON; has ${bytes}`);
  return JSON.parse(text);
}

/**
 * A copy of what is storable JSON already, which takes a third of the time of writing and reading it;
 * undefined of all else, and of what has to be written to know.
 */
function copyOfJson(value: unknown, levels: number): unknown {
  if (typeof value === "string") return isStorable(value) ? value : undefined;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "boolean" || value === null) return value;
  if (typeof value !== "object" || levels === 0) return undefined;
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value) {
      const copy = copyOfJson(item, levels - 1);
      if (copy === undefined) return undefined;
      items.push(copy);
    }
    return items;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return undefined;
  const properties: Record<string, unknown> = {};
  for (const [key, property] of Object.entries(value)) {
    if (property === undefined) continue;
    const copy = copyOfJson(property, levels - 1);
    if (copy === undefined || key === "__proto__" || !isStorable(key)) return undefined;
    properties[key] = copy;
  }
  return properties;
}

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

function depthExceeds(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((child) => depthExceeds(child, levels - 1));
}

/** Schemas with a part that has to be waited for. */
const asynchronous = new WeakSet<z.ZodType>();

/**
 * The payload as its definition's schema gives it to handlers; at once where the schema allows that, for
 * waiting costs ten times as much.
 * @throws InvalidPayloadError if the schema refuses it
 */
export function parsePayload<Schema extends z.ZodType>(
  { type, schema }: { readonly type: string; readonly schema: Schema },
  payload: unknown,
): z.output<Schema> | Promise<z.output<Schema>> {
  const read = (parsed: z.ZodSafeParseResult<z.output<Schema>>) => {
    if (!parsed.success) throw new InvalidPayloadError(type, parsed.error.issues);
    return parsed.data;
  };
  if (!asynchronous.has(schema)) {
    try {
      return read(schema.safeParse(payload));
    } catch (error) {
      if (!(error instanceof z.core.$ZodAsyncError)) throw error;
      asynchronous.add(schema);
    }
  }
  return schema.safeParseAsync(payload).then(read);
}
