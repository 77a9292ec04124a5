/** Caps a delay and spreads it at random, so that messages that failed together do not return together. */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { checkJitter } from "./strategy-options.ts";

/** Bounds and spread of a delay. */
export interface Spread {
  /** In ms; 0 is no cap. */
  readonly maxDelay: number;
  /** 0 to 1, as a share of the delay. */
  readonly jitter: number;
  /** Returns a number from 0 to 1, like Math.random. */
  readonly random: () => number;
}

/**
 * Whole ms to wait after a Retry-After of `ms`. One up to `maxDelay` is spread upwards by the jitter, so that it is
 * never too early, and may go beyond `maxDelay` by that share. One beyond it is spread below `maxDelay`.
 * @throws RangeError if `random` returns anything but a number from 0 to 1
 */
export function boundRetryAfter(ms: number, { maxDelay, jitter, random }: Spread): number {
  const asked = Math.ceil(ms);
  const lowest = asked <= maxDelay ? asked : maxDelay - Math.floor(maxDelay * jitter);
  const highest = asked <= maxDelay ? asked + Math.floor(asked * jitter) : maxDelay;
  if (highest <= lowest) return lowest;
  const drawn = checkJitter(random(), "random");
  return Math.min(lowest + Math.floor(drawn * (highest - lowest + 1)), highest);
}

/**
 * The delay to wait: capped, rounded up to whole ms, and spread evenly over +-jitter. The part of the
 * range above the cap is cut off. If it were moved to the cap, all messages there would return at once.
 * @param delay ms, 0 or more; Infinity means the longest delay there is
 * @throws RangeError if `random` returns anything but a number from 0 to 1
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
