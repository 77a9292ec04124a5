/** Snooze: a handler returns it to have its message again later, which is no failure. */

import { type Duration, parseDuration } from "../runtime/duration.ts";

/** The value that {@link snooze} returns. */
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
 * Makes the value that a handler returns to have its message again later. No attempt and no retry is
 * charged, and no error is recorded.
 * @throws RangeError if `delay` is no duration
 */
export function snooze(delay: Duration): Snooze {
  return new Snooze(parseDuration(delay, "snooze"));
}
