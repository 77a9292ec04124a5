/** The retry strategy: how often a failed message is retried, and after which delay. */

import { boundRetryAfter, spreadDelay } from "./jitter.ts";
import {
  type Backoff,
  type BackoffOptions,
  checkCount,
  checkFunction,
  checkNames,
  MAX_RETRY_AFTER_MS,
  resolveBackoff,
} from "./strategy-options.ts";

export type { BackoffOptions } from "./strategy-options.ts";

/** Decides about retries. `retryCount` is 0 before the first retry. */
export interface RetryStrategy {
  /** Whole ms to wait before the next attempt. */
  getDelay(retryCount: number, type?: string): number;
  /** Whether there is a next attempt. */
  shouldRetry(retryCount: number, type?: string): boolean;
  /** Whole ms to wait after a Retry-After of `ms`; default: `ms`, at most a day. */
  getRetryAfter?(ms: number, type?: string): number;
}

/** Options of {@link ExponentialBackoffRetryStrategy}; all are optional. */
export interface ExponentialBackoffOptions extends BackoffOptions {
  /** Source of the jitter, from 0 to 1; default: Math.random. */
  readonly random?: () => number;
}

const DEFAULTS: Backoff = {
  maxRetries: 3,
  delay: 1_000,
  multiplier: 2,
  maxDelay: 30_000,
  jitter: 0,
  maxRetryAfter: MAX_RETRY_AFTER_MS,
};

/**
 * Waits longer each time: `min(delay * multiplier ** retryCount, maxDelay)`, rounded up to whole ms, and
 * spread by `jitter`. Defaults: 3 retries after 1 s, 2 s and 4 s, no jitter, a cap of 30 s. No delay is
 * longer than 100 years, even if `maxDelay` is 0 (no cap) or more.
 */
export class ExponentialBackoffRetryStrategy implements RetryStrategy {
  readonly #general: Backoff;
  readonly #byType = new Map<string, Backoff>();
  readonly #random: () => number;

  /** @throws RangeError that names the wrong option */
  constructor(options: ExponentialBackoffOptions = {}) {
    checkNames(options, [...Object.keys(DEFAULTS), "random"]);
    const { random = Math.random, ...backoff } = options;
    this.#general = resolveBackoff(backoff, DEFAULTS);
    this.#random = checkFunction(random, "random");
  }

  /**
   * Gives a message type options of its own, which replace any earlier ones. Options that are left out are
   * the strategy's.
   * @throws RangeError that names the wrong option
   */
  registerMessageType(type: string, options: BackoffOptions): void {
    if (typeof type !== "string" || type === "") {
      throw new RangeError("type: has to be the name of a message type");
    }
    this.#byType.set(type, resolveBackoff(options, this.#general, `${type}: `));
  }

  /**
   * Makes a strategy of its own. Options that are left out are those of a message type.
   * @throws RangeError that names the wrong option
   */
  derive(type: string, options: BackoffOptions): ExponentialBackoffRetryStrategy {
    const backoff = resolveBackoff(options, this.#optionsOf(type), "retry: ");
    return new ExponentialBackoffRetryStrategy({ ...backoff, random: this.#random });
  }

  /**
   * Whole ms to wait before the next attempt, at most `maxDelay`.
   * @throws RangeError if `retryCount` is no whole number from 0
   */
  getDelay(retryCount: number, type?: string): number {
    const { delay, multiplier, maxDelay, jitter } = this.#optionsOf(type);
    const grown = delay * multiplier ** checkCount(retryCount, "retryCount");
    // 0 times a power that overflows is NaN; every other product is at most Infinity.
    return spreadDelay(delay === 0 ? 0 : grown, { maxDelay, jitter, random: this.#random });
  }

  /**
   * Whether `retryCount` is below the type's `maxRetries`.
   * @throws RangeError if `retryCount` is no whole number from 0
   */
  shouldRetry(retryCount: number, type?: string): boolean {
    return checkCount(retryCount, "retryCount") < this.#optionsOf(type).maxRetries;
  }

  /** Whole ms to wait for a Retry-After of `ms`, which `jitter` spreads: upwards, or below `maxRetryAfter` if it is longer. */
  getRetryAfter(ms: number, type?: string): number {
    const { maxRetryAfter: maxDelay, jitter } = this.#optionsOf(type);
    return boundRetryAfter(ms, { maxDelay, jitter, random: this.#random });
  }

  #optionsOf(type: string | undefined): Backoff {
    return (type === undefined ? undefined : this.#byType.get(type)) ?? this.#general;
  }
}
