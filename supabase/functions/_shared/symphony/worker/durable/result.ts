/** Results of steps: JSON of a bounded size, the same in the first run as in every later one. */

import { UnrecoverableError } from "../../message/errors.ts";
import { type JsonPath, MAX_DEPTH, toJson, UnstorableError } from "../../runtime/json.ts";
import { jsonBytes } from "../../runtime/json-length.ts";

/** Largest result of a step, in bytes of its JSON. */
export const MAX_RESULT_BYTES = 262_144;

/** Bounds of a result. */
export interface ResultBounds {
  /** Deepest nesting. Default: that of a payload. */
  readonly levels?: number;
  /** Most bytes of its JSON. Default: {@link MAX_RESULT_BYTES}. */
  readonly maxBytes?: number;
}

/** A result as it is stored. */
export interface StepResult {
  /** The JSON copy; undefined if the step returned undefined. */
  readonly value: unknown;
  /** Bytes of its JSON. */
  readonly bytes: number;
}

/**
 * Copies a step's result into the JSON that later runs will get.
 * @throws UnrecoverableError that names the place, if JSON would change the value, as it does with a Date, a Map, a
 * BigInt or NaN; or if the result is deeper or larger than its bounds
 */
export function toResult(
  value: unknown,
  { levels = MAX_DEPTH, maxBytes = MAX_RESULT_BYTES }: ResultBounds = {},
): StepResult {
  if (value === undefined) return { value, bytes: 0 };
  const copy = exactJson(value, levels);
  const bytes = bytesOf(copy);
  if (bytes > maxBytes) {
    throw new UnrecoverableError(
      `result: has ${bytes} bytes as JSON; has to have at most ${maxBytes}, store it elsewhere ` +
        "and return where it is",
    );
  }
  return { value: copy, bytes };
}

/** Bytes of a value's JSON. */
export function bytesOf(value: unknown): number {
  return value === undefined ? 0 : jsonBytes(value);
}

function exactJson(value: unknown, levels: number): unknown {
  try {
    const copy = toJson(value, levels);
    refuseOwnJson(value, []);
    return copy;
  } catch (error) {
    if (!(error instanceof UnstorableError)) throw error;
    throw new UnrecoverableError(`${["result", ...error.path].join(".")}: ${error.message}`);
  }
}

/** A value with a `toJSON` of its own comes back as something else, such as a Date as text. */
function refuseOwnJson(value: unknown, path: JsonPath): void {
  if (typeof value !== "object" || value === null) return;
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function") {
    const name = value.constructor?.name ?? "an object";
    throw new UnstorableError(
      path,
      `is no JSON (was ${name}); later runs would get something else`,
    );
  }
  for (const [key, part] of Object.entries(value)) refuseOwnJson(part, [...path, key]);
}
