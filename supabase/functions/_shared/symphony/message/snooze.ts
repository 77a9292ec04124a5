/** Snooze: a handler's answer that its message should come again later, which is no failure. */

import { type Duration, parseDuration } from "../runtime/duration.ts";

/** What {@link snooze} makes. */
export class Snooze {
  /** Ms until the message comes again. */
  readonly delayMs: number;

  /**
   * @param delayMs ms until the message comes again
   * @throws RangeError if that is no duration
   */
  constructor(delayMs: number) {
    this.delayMs = parseDuration(delayMs, "snooze");
    Object.freeze(this);
  }
}

/**
 * What a handler returns to have its message again later: neither an attempt nor a retry is charged,
 * and nothing is recorded as an error.
 * @throws RangeError if `delay` is no duration
 */
export function snooze(delay: Duration): Snooze {
  return new Snooze(parseDuration(delay, "snooze"));
}
