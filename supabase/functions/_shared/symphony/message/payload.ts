/** Payloads: checks that the database can store them without loss and that they fit their schema. */

import { z } from "zod";
import { DispatchTimeoutError, InvalidPayloadError } from "./errors.ts";
import { toJson, UnstorableError } from "../runtime/json.ts";
import { jsonBytes, jsonLength } from "../runtime/json-length.ts";
import { findInexact } from "../runtime/json-text.ts";
import { within } from "../runtime/within.ts";
import { copyPlain, partsOfSchema } from "./schema-parts.ts";

/**
 * Turns a payload into the JSON that the handler will get: dates become strings, and properties that are
 * undefined are left out.
 * @param maxBytes longest JSON, in bytes of UTF-8
 * @throws InvalidPayloadError with the path of a value that JSON or jsonb would change, or if the payload
 * is nested too deeply or too long
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
  // A character has at most 3 bytes. Those of most payloads need no count.
  if (maxBytes === Infinity || jsonLength(json) * 3 <= maxBytes) return json;
  const bytes = jsonBytes(json);
  if (bytes > maxBytes) throw refuse([], `may have ${maxBytes} bytes as JSON; has ${bytes}`);
  return json;
}

/** How long a dispatch waits for an asynchronous schema, and for each middleware, in ms. */
export const DISPATCH_TIMEOUT_MS = 10_000;

/**
 * Parses a payload by its definition's schema. It returns the value itself where the schema needs no
 * promise, because `safeParseAsync` takes ten times as long as `safeParse`. The schema runs once, and without a
 * time limit.
 * @throws InvalidPayloadError if the schema refuses the payload
 */
export function parsePayload<Schema extends z.ZodType>(
  { type, schema }: { readonly type: string; readonly schema: Schema },
  payload: unknown,
): z.output<Schema> | Promise<z.output<Schema>> {
  const { callsFunctions, sharesObjects } = partsOfSchema(schema);
  // A handler, a rule or a lane may change what the schema would give to the next message too, such as a default.
  const own = (value: z.output<Schema>) =>
    sharesObjects ? copyPlain(value) as z.output<Schema> : value;
  // `safeParse` takes a third of the time, but it throws when it meets an asynchronous function. That
  // function would then run a second time, and the rejection of its first promise would be unhandled.
  if (!callsFunctions) {
    const parsed = schema.safeParse(payload);
    if (!parsed.success) throw new InvalidPayloadError(type, parsed.error.issues);
    return own(parsed.data);
  }
  const ctx = { async: true };
  const read = ({ value, issues }: z.core.ParsePayload): z.output<Schema> => {
    if (issues.length === 0) return own(value as z.output<Schema>);
    const config = z.core.config();
    const found = issues.map((issue) => z.core.util.finalizeIssue(issue, ctx, config));
    throw new InvalidPayloadError(type, found);
  };
  const parsed = schema._zod.run({ value: payload, issues: [] }, ctx);
  return parsed instanceof Promise ? parsed.then(read) : read(parsed);
}

/**
 * Checks a payload before its dispatch, within 10 s. A schema's function, or a lane's, may change in place what it is
 * given: such a definition gets a copy, so that the payload stays what is stored.
 * @returns the payload as its schema returns it
 * @throws InvalidPayloadError if the schema refuses it
 * @throws DispatchTimeoutError if the schema takes too long
 */
export function checkPayload<Schema extends z.ZodType>(
  definition: {
    readonly type: string;
    readonly schema: Schema;
    readonly lane?: ((payload: unknown) => string) | undefined;
  },
  payload: unknown,
): z.output<Schema> | Promise<z.output<Schema>> {
  const mayChange = definition.lane !== undefined ||
    partsOfSchema(definition.schema).callsFunctions;
  const parsed = parsePayload(definition, mayChange ? structuredClone(payload) : payload);
  if (!(parsed instanceof Promise)) return parsed;
  const late = () => new DispatchTimeoutError(`${definition.type}: schema`, DISPATCH_TIMEOUT_MS);
  return within(parsed, DISPATCH_TIMEOUT_MS, late);
}

/**
 * Makes a function that parses the payload once for each handler.
 * @param isShared whether more than one handler reads the message. The stored payload is then frozen, and
 * each parsing begins with a copy, because a schema may return parts of its input
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

/** Freezes a value and everything in it. */
export function freezeDeep<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freezeDeep(part);
  }
  return value;
}

/**
 * Parses a stored payload by its definition's schema. SQL may have written whole numbers that JSON.parse
 * cannot read exactly.
 * @throws InvalidPayloadError if it holds such a number, or if the schema refuses it
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
