/** Retry strategies beside exponential backoff: linear, a list of delays, a function. */

import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { boundRetryAfter, spreadDelay } from "./jitter.ts";
import {
  type BackoffOptions,
  checkCount,
  checkDelay,
  checkFunction,
  checkNames,
  MAX_RETRY_AFTER_MS,
  resolveBackoff,
} from "./strategy-options.ts";
import type { RetryStrategy } from "./strategy.ts";

/** Options of {@link LinearBackoffRetryStrategy}; all are optional. */
export interface LinearBackoffOptions extends Omit<BackoffOptions, "multiplier"> {
  /** Growth of the delay at each retry; default: `delay`. */
  readonly increment?: Duration;
  /** Source of the jitter, from 0 to 1; default: Math.random. */
  readonly random?: () => number;
}

const LINEAR_OPTIONS = [
  "maxRetries",
  "delay",
  "increment",
  "maxDelay",
  "jitter",
  "maxRetryAfter",
  "random",
];

const LINEAR_DEFAULTS = {
  maxRetries: 3,
  delay: 1_000,
  multiplier: 1,
  maxDelay: 30_000,
  jitter: 0,
  maxRetryAfter: MAX_RETRY_AFTER_MS,
};

/** Waits `min(delay + increment * retryCount, maxDelay)` ms, spread by `jitter`. */
export class LinearBackoffRetryStrategy implements RetryStrategy {
  readonly #backoff;
  readonly #increment: number;
  readonly #random: () => number;

  /** @throws RangeError that names the wrong option */
  constructor(options: LinearBackoffOptions = {}) {
    checkNames(options, LINEAR_OPTIONS);
    const { random = Math.random, increment, ...backoff } = options;
    this.#backoff = resolveBackoff(backoff, LINEAR_DEFAULTS);
    this.#increment = increment === undefined
      ? this.#backoff.delay
      : checkDelay(increment, "increment");
    this.#random = checkFunction(random, "random");
  }

  /** @throws RangeError if `retryCount` is no whole number from 0 */
  getDelay(retryCount: number): number {
    const { delay, maxDelay, jitter } = this.#backoff;
    const grown = delay + this.#increment * checkCount(retryCount, "retryCount");
    return spreadDelay(grown, { maxDelay, jitter, random: this.#random });
  }

  /** @throws RangeError if `retryCount` is no whole number from 0 */
  shouldRetry(retryCount: number): boolean {
    return checkCount(retryCount, "retryCount") < this.#backoff.maxRetries;
  }

  /** Whole ms to wait for a Retry-After of `ms`, which `jitter` spreads: upwards, or below `maxRetryAfter` if it is longer. */
  getRetryAfter(ms: number): number {
    const { maxRetryAfter: maxDelay, jitter } = this.#backoff;
    return boundRetryAfter(ms, { maxDelay, jitter, random: this.#random });
  }
}

/** Takes its delays from a list, one entry for each retry. */
export class FixedDelaysRetryStrategy implements RetryStrategy {
  readonly #delays: readonly number[];
  readonly #maxRetries: number;

  /**
   * @param options.maxRetries number of retries; default: the length of the list. Retries beyond the list
   * wait as long as its last entry
   * @throws RangeError that names the wrong entry or option
   */
  constructor(delays: readonly Duration[], options: { readonly maxRetries?: number } = {}) {
    checkNames(options, ["maxRetries"]);
    const { maxRetries = delays?.length } = options;
    if (!Array.isArray(delays) || delays.length === 0) {
      throw new RangeError("delays: has to be a list of at least one duration");
    }
    this.#delays = Array.from(delays, (delay, index) => checkDelay(delay, `delays[${index}]`));
    this.#maxRetries = checkCount(maxRetries, "maxRetries");
  }

  /** @throws RangeError if `retryCount` is no whole number from 0 */
  getDelay(retryCount: number): number {
    const index = Math.min(checkCount(retryCount, "retryCount"), this.#delays.length - 1);
    return this.#delays[index] ?? 0;
  }

  /** @throws RangeError if `retryCount` is no whole number from 0 */
  shouldRetry(retryCount: number): boolean {
    return checkCount(retryCount, "retryCount") < this.#maxRetries;
  }
}

/** Takes its delays from a function. */
export class FunctionRetryStrategy implements RetryStrategy {
  readonly #delayOf: (retryCount: number, type?: string) => Duration;
  readonly #maxRetries: number;

  /**
   * @param delayOf returns the delay; a fraction of a ms is rounded up
   * @param options.maxRetries default: 3
   * @throws RangeError that names the wrong argument
   */
  constructor(
    delayOf: (retryCount: number, type?: string) => Duration,
    options: { readonly maxRetries?: number } = {},
  ) {
    checkNames(options, ["maxRetries"]);
    const { maxRetries = 3 } = options;
    this.#delayOf = checkFunction(delayOf, "delayOf");
    this.#maxRetries = checkCount(maxRetries, "maxRetries");
  }

  /** @throws RangeError if `retryCount` is no whole number from 0, or the function returned no duration */
  getDelay(retryCount: number, type?: string): number {
    const delay: unknown = this.#delayOf(checkCount(retryCount, "retryCount"), type);
    // Its rejection would end the process.
    if (delay instanceof Promise) delay.catch(() => {});
    const rounded = typeof delay === "number" && delay > 0 ? Math.ceil(delay) : delay;
    return parseDuration(rounded, `delayOf(${retryCount}, ${showValue(type)})`);
  }

  /** @throws RangeError if `retryCount` is no whole number from 0 */
  shouldRetry(retryCount: number): boolean {
    return checkCount(retryCount, "retryCount") < this.#maxRetries;
  }
}
