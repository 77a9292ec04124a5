/** Checks the options of retry strategies, and a retry count. */

import { type Duration, MAX_DURATION_MS, parseDuration } from "../runtime/duration.ts";
import { checkPlainFunction } from "../runtime/checks.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import { checkNames, isOptions } from "../runtime/option-names.ts";

export { checkNames };

/** Options of a growing delay. Options that are left out are inherited. */
export interface BackoffOptions {
  /** Retries after the first attempt; 0 is none. */
  readonly maxRetries?: number;
  /** Delay before the first retry. */
  readonly delay?: Duration;
  /** Factor from each delay to the next, 1 or more. */
  readonly multiplier?: number;
  /** Longest delay; 0 is no cap. A `delay` above the cap needs a higher cap. */
  readonly maxDelay?: Duration;
  /** Spread of a delay, as a share of it: 0.1 is 10 % up or down. */
  readonly jitter?: number;
  /** Longest Retry-After that is kept to. The spread comes on top; a longer one is spread below it. */
  readonly maxRetryAfter?: Duration;
}

/** Checked options: complete, with durations in ms. */
export interface Backoff {
  readonly maxRetries: number;
  readonly delay: number;
  readonly multiplier: number;
  readonly maxDelay: number;
  readonly jitter: number;
  readonly maxRetryAfter: number;
}

/** Default of `maxRetryAfter`: a day. */
export const MAX_RETRY_AFTER_MS = 24 * 60 * 60 * 1_000;

/**
 * Checks options and fills in those that are left out.
 * @param prefix text before an option's name in an error
 * @throws RangeError that names the wrong or unknown option
 */
export function resolveBackoff(options: BackoffOptions, inherited: Backoff, prefix = ""): Backoff {
  checkNames(options, Object.keys(inherited), prefix);
  const check = <T>(name: keyof Backoff, checkValue: (value: unknown, field: string) => T): T => {
    const value = options[name];
    return checkValue(value === undefined ? inherited[name] : value, `${prefix}${name}`);
  };
  return {
    maxRetries: check("maxRetries", checkCount),
    delay: check("delay", checkDelay),
    multiplier: check("multiplier", checkMultiplier),
    maxDelay: check("maxDelay", checkDelay),
    jitter: check("jitter", checkJitter),
    maxRetryAfter: check("maxRetryAfter", checkDelay),
  };
}

/** Checks the form of a retry rule. The values of its options are checked beside those of the bus. @throws RangeError */
export function checkRetry(value: unknown, field: string): void {
  if (!isOptions(value)) {
    throw new RangeError(
      `${field}: has to be an object of options, or a retry strategy; got ${showValue(value)}`,
    );
  }
  if ("getDelay" in value) checkStrategy(value, field);
}

/** @throws RangeError that names the field, if the value has not the methods of a retry strategy */
export function checkStrategy(value: unknown, field: string): void {
  for (const name of ["shouldRetry", "getDelay"]) {
    if (typeof readProperty(value, name) === "function") continue;
    throw new RangeError(
      `${field}: has to be a retry strategy, with the methods shouldRetry and getDelay; got ${
        showValue(value)
      }`,
    );
  }
}

/** @throws RangeError if the value is no whole number, or less than 0 */
export function checkCount(value: unknown, field: string): number {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return Number(value);
  throw new RangeError(`${field}: has to be a whole number, 0 or more; got ${showValue(value)}`);
}

/** A number above {@link MAX_DURATION_MS} is lowered to it: no delay is longer. */
export function checkDelay(value: unknown, field: string): number {
  const isNumber = typeof value === "number" && Number.isFinite(value);
  return parseDuration(isNumber ? Math.min(value, MAX_DURATION_MS) : value, field);
}

/** @throws RangeError if the value is no number from 0 to 1 */
export function checkJitter(value: unknown, field: string): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw new RangeError(`${field}: has to be a number from 0 to 1; got ${showValue(value)}`);
}

/** @throws RangeError if the value is no function, or a generator or a class */
export function checkFunction<F>(value: F, field: string): F {
  checkPlainFunction(value, field);
  if (typeof value === "function") return value;
  throw new RangeError(`${field}: has to be a function; got ${showValue(value)}`);
}

function checkMultiplier(value: unknown, field: string): number {
  if (typeof value === "number" && value >= 1 && Number.isFinite(value)) return value;
  throw new RangeError(`${field}: has to be a number, 1 or more; got ${showValue(value)}`);
}
