/** Uniqueness: how long a dispatch keeps others of its type and key from making a second message. */

import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";

/**
 * How long a `dedupeKey` is held: until a worker claims the message, until it is handled or dead, or for
 * a time from its dispatch whatever becomes of it.
 */
export type Dedupe = "until-started" | "until-finished" | { readonly window: Duration };

/** The same, as a transport takes it: the window in ms. */
export type HeldFor = "until-started" | "until-finished" | { readonly windowMs: number };

/**
 * Checks how long a key is held.
 * @param field what the error calls the value
 * @throws RangeError that names the field
 */
export function parseDedupe(value: Dedupe, field: string): HeldFor {
  if (value === "until-started" || value === "until-finished") return value;
  if (typeof value !== "object" || value === null || !("window" in value)) {
    throw new RangeError(
      `${field}: has to be 'until-started', 'until-finished' or { window }; got ${
        showValue(value)
      }`,
    );
  }
  checkNames(value, ["window"], `${field}: `);
  const windowMs = parseDuration(value.window, `${field}: window`);
  if (windowMs === 0) throw new RangeError(`${field}: window: has to be more than 0`);
  return { windowMs };
}
