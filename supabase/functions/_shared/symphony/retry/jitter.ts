/** Caps a delay and spreads it at random, so that what failed together does not come back together. */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { checkJitter } from "./strategy-options.ts";

/** How a delay is bounded and spread. */
export interface Spread {
  /** In ms; 0 is no cap. */
  readonly maxDelay: number;
  /** 0 to 1, as a part of the delay. */
  readonly jitter: number;
  /** Gives a number from 0 to 1, as Math.random does. */
  readonly random: () => number;
}

/**
 * Whole ms to wait where the other side asked for `ms` (Retry-After): at most `maxDelay`, and spread upwards
 * by the jitter, never earlier than asked. Only what was asked beyond the cap is spread below the cap.
 * @throws RangeError if `random` gives anything but a number from 0 to 1
 */
export function boundRetryAfter(ms: number, { maxDelay, jitter, random }: Spread): number {
  const asked = Math.ceil(ms);
  const lowest = asked <= maxDelay ? asked : maxDelay - Math.floor(maxDelay * jitter);
  const highest = asked <= maxDelay
    ? Math.min(asked + Math.floor(asked * jitter), maxDelay)
    : maxDelay;
  if (highest <= lowest) return lowest;
  const drawn = checkJitter(random(), "random");
  return Math.min(lowest + Math.floor(drawn * (highest - lowest + 1)), highest);
}

/**
 * The delay to wait: capped, rounded up to whole ms, and spread evenly over +-jitter. What the
 * spread would put above the cap is left out of the range and not moved to the cap: there all would
 * come back at once.
 * @param delay ms, 0 or more; Infinity is taken for the longest delay there is
 * @throws RangeError if `random` gives anything but a number from 0 to 1
 */
export function spreadDelay(delay: number, { maxDelay, jitter, random }: Spread): number {
  const cap = maxDelay === 0 ? MAX_DURATION_MS : maxDelay;
  const center = Math.min(Math.ceil(delay), cap);
  const reach = Math.floor(center * jitter);
  if (reach === 0) return center;
  const lowest = center - reach;
  const highest = Math.min(center + reach, cap);
  const drawn = checkJitter(random(), "random");
  return Math.min(lowest + Math.floor(drawn * (highest - lowest + 1)), highest);
}
