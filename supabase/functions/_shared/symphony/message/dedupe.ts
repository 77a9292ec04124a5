/** Deduplication: how long a dispatch prevents a second message with the same type and key. */

import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";

/**
 * How long a `dedupeKey` is held: until a worker claims the message, until the message is handled or
 * dead, or for a fixed time from the dispatch.
 */
export type Dedupe = "until-started" | "until-finished" | { readonly window: Duration };

/** The same for a transport: the window is in ms. */
export type HeldFor = "until-started" | "until-finished" | { readonly windowMs: number };

/**
 * Checks how long a key is held.
 * @param field name of the option in an error
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
