/** What a payload has to be: JSON that the database can keep as it is, and what its schema says. */

import { z } from "zod";
import { InvalidPayloadError } from "./errors.ts";
import { toJson, UnstorableError } from "./json.ts";
import { findInexact } from "./json-text.ts";

/**
 * Turns a payload into the JSON that the handler will get: dates become strings, undefined goes.
 * @param maxBytes how long it may be as JSON, in bytes of UTF-8
 * @throws InvalidPayloadError with the path of what JSON or Postgres's jsonb would not keep as it is, or
 * if it is nested too deeply or too long
 */
export function toStorableJson(type: string, payload: unknown, maxBytes = Infinity): unknown {
  const refuse = (path: readonly (string | number)[], message: string) =>
    new InvalidPayloadError(type, [{ code: "custom", path: [...path], message, input: payload }]);
  let json: unknown;
  try {
    json = toJson(payload);
  } catch (error) {
    if (error instanceof UnstorableError) throw refuse(error.path, error.message);
    throw error;
  }
  if (maxBytes === Infinity) return json;
  const bytes = new TextEncoder().encode(JSON.stringify(json)).length;
  if (bytes > maxBytes) throw refuse([], `may have ${maxBytes} bytes as JSON; has ${bytes}`);
  return json;
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

/**
 * A stored payload as its definition's schema gives it to handlers. What SQL has written may hold
 * numbers that reading has changed.
 * @throws InvalidPayloadError if it does, or if the schema refuses it
 */
export function parseStored<Schema extends z.ZodType>(
  definition: { readonly type: string; readonly schema: Schema },
  payload: unknown,
): z.output<Schema> | Promise<z.output<Schema>> {
  const path = findInexact(payload);
  if (path === null) return parsePayload(definition, payload);
  const message = "is a whole number beyond 2^53 - 1, which was not read exactly; store it as text";
  throw new InvalidPayloadError(definition.type, [
    { code: "custom", path: [...path], message, input: payload },
  ]);
}
