/** Snooze: a handler returns it to have its message again later, which is no failure. */

import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";

/** The value that {@link snooze} returns. */
export class Snooze {
  /** Ms until the message comes again. */
  readonly delayMs: number;

  /**
   * @param delayMs ms until the message comes again
   * @throws RangeError if that is no duration, or more than the delay is given
   */
  constructor(delayMs: number);
  constructor(delayMs: number, ...more: readonly unknown[]) {
    checkNoMore(more);
    this.delayMs = parseDuration(delayMs, "snooze");
    Object.freeze(this);
  }
}

/**
 * Makes the value that a handler returns to have its message again later. No attempt and no retry is
 * charged, and no error is recorded.
 * @throws RangeError if `delay` is no duration, or more than the delay is given
 */
export function snooze(delay: Duration): Snooze;
export function snooze(delay: Duration, ...more: readonly unknown[]): Snooze {
  checkNoMore(more);
  return new Snooze(parseDuration(delay, "snooze"));
}

/** Refuses options, which there are none of. @throws RangeError */
function checkNoMore([options]: readonly unknown[]): void {
  if (typeof options !== "object" || options === null) return;
  throw new RangeError(`snooze: takes the delay alone; got ${showValue(options)} beside it`);
}
