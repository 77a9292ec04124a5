/** What a payload has to be: JSON that the database can keep as it is, and what its schema says. */

import { z } from "zod";
import { DispatchTimeoutError, InvalidPayloadError } from "./errors.ts";
import { toJson, UnstorableError } from "../runtime/json.ts";
import { findInexact } from "../runtime/json-text.ts";
import { within } from "../runtime/within.ts";

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

/** How long a dispatch waits for a schema with an asynchronous part, and for each middleware, in ms. */
export const DISPATCH_TIMEOUT_MS = 10_000;

/** Whether a schema runs functions of its user's, which may have to be waited for. */
const runsFunctions = new WeakMap<z.ZodType, boolean>();

/**
 * The payload as its definition's schema gives it to handlers; at once where nothing of it has to be waited
 * for, for waiting costs ten times as much. It runs what is in the schema once, and has no bound.
 * @throws InvalidPayloadError if the schema refuses it
 */
export function parsePayload<Schema extends z.ZodType>(
  { type, schema }: { readonly type: string; readonly schema: Schema },
  payload: unknown,
): z.output<Schema> | Promise<z.output<Schema>> {
  let runs = runsFunctions.get(schema);
  if (runs === undefined) runsFunctions.set(schema, runs = hasFunctions(schema, new Set()));
  // The plain way takes a third of the time, but cannot wait: a function that it finds to be asynchronous
  // would run once more, and its first promise have no one to catch what it rejects with.
  if (!runs) {
    const parsed = schema.safeParse(payload);
    if (!parsed.success) throw new InvalidPayloadError(type, parsed.error.issues);
    return parsed.data;
  }
  const ctx = { async: true };
  const read = ({ value, issues }: z.core.ParsePayload): z.output<Schema> => {
    if (issues.length === 0) return value as z.output<Schema>;
    const config = z.core.config();
    const found = issues.map((issue) => z.core.util.finalizeIssue(issue, ctx, config));
    throw new InvalidPayloadError(type, found);
  };
  const parsed = schema._zod.run({ value: payload, issues: [] }, ctx);
  return parsed instanceof Promise ? parsed.then(read) : read(parsed);
}

/** Looks for functions in what a schema was made of; its own methods are none of these. */
function hasFunctions(part: unknown, seen: Set<unknown>): boolean {
  if (typeof part === "function") return true;
  if (typeof part !== "object" || part === null || part instanceof RegExp) return false;
  if (seen.has(part)) return false;
  seen.add(part);
  const parts = "_zod" in part ? [(part as z.ZodType)._zod.def] : Object.values(part);
  return parts.some((one) => hasFunctions(one, seen));
}

/**
 * Checks a payload that is to be dispatched; the bound of a schema that has to be waited for is 10 s.
 * @returns the payload as its schema gives it to handlers
 * @throws InvalidPayloadError if the schema refuses it
 * @throws DispatchTimeoutError if the schema takes too long
 */
export function checkPayload<Schema extends z.ZodType>(
  definition: { readonly type: string; readonly schema: Schema },
  payload: unknown,
): z.output<Schema> | Promise<z.output<Schema>> {
  const parsed = parsePayload(definition, payload);
  if (!(parsed instanceof Promise)) return parsed;
  const late = () => new DispatchTimeoutError(`${definition.type}: schema`, DISPATCH_TIMEOUT_MS);
  return within(parsed, DISPATCH_TIMEOUT_MS, late);
}

/**
 * What gives each handler of a message its own reading of the payload.
 * @param isShared whether others than one handler see the message: then what is stored is frozen, and each
 * reading begins with a copy, for a schema may pass on parts of what it was given
 */
export function payloadReader(
  definition: { readonly type: string; readonly schema: z.ZodType },
  payload: unknown,
  isShared: boolean,
): () => unknown {
  if (!isShared) return () => parseStored(definition, payload);
  freezeDeep(payload);
  return () => parseStored(definition, structuredClone(payload));
}

/** Freezes a value and all that is in it. */
export function freezeDeep<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freezeDeep(part);
  }
  return value;
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
