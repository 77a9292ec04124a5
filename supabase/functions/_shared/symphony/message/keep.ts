/** How long handled messages are remembered, and whether with what their handler returned. */

import type { z } from "zod";
import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";

/** Options of a definition that say what is kept. */
interface KeepOptions {
  readonly keep?: Duration | { readonly for: Duration; readonly result?: boolean };
  readonly handler?: unknown;
  readonly handleBatch?: unknown;
  readonly result?: unknown;
}

/**
 * Checks `keep` of a definition.
 * @param type the message's type, for the error
 * @returns how long a handled message is remembered, in ms, and whether its result is
 * @throws RangeError that names the wrong option
 */
export function checkKeep(
  type: string,
  { keep, handler, handleBatch, result }: KeepOptions,
): { readonly keepMs: number | undefined; readonly keepsResult: boolean } {
  const field = `${type}: keep`;
  const isObject = typeof keep === "object" && keep !== null;
  if (isObject) checkNames(keep, ["for", "result"], `${field}: `);
  const keepsResult = isObject ? keep.result ?? false : false;
  if (typeof keepsResult !== "boolean") {
    throw new RangeError(
      `${field}: result: has to be true or false; got ${showValue(keepsResult)}`,
    );
  }
  if (keepsResult && (handleBatch !== undefined || typeof handler !== "function")) {
    throw new RangeError(`${field}: result: needs one handler, neither several nor handleBatch`);
  }
  if (result !== undefined && (handleBatch !== undefined || typeof handler !== "function")) {
    throw new RangeError(`${type}: result: needs one handler, neither several nor handleBatch`);
  }
  const duration = isObject ? keep.for : keep;
  const keepMs = duration === undefined && !isObject
    ? undefined
    : parseDuration(duration as Duration, isObject ? `${field}: for` : field);
  return { keepMs, keepsResult };
}

/**
 * Checks a schema of a definition.
 * @param field name of the option, with the message's type
 * @throws RangeError if it is no schema of zod 4
 */
export function checkSchema<Schema extends z.ZodType>(schema: Schema, field: string): Schema {
  if (typeof schema?.safeParse === "function" && "_zod" in schema) return schema;
  throw new RangeError(
    `${field}: has to be a zod schema, of zod 4; \`z\` of symphony-messenger makes one`,
  );
}
