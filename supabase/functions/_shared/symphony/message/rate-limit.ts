/**
 * Rate limits: how many messages of a type may be dispatched over HTTPS. The database counts them in the
 * transaction that writes the messages, by the generic cell rate algorithm (ITU-T I.371, annex A): up to
 * `max` at once, then one more each `per / max`.
 */

import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames, isOptions } from "../runtime/option-names.ts";

/** A number of messages in a period. */
export interface Rate {
  /** 1 to 1,000,000. */
  readonly max: number;
  /** At least a second. */
  readonly per: Duration;
}

/** The limits of a type. */
export interface RateLimit {
  /** For each user. Callers with only the publishable key cannot be told apart, so they share one limit. */
  readonly perUser?: Rate;
  /** For all users and holders of the publishable key together. */
  readonly total?: Rate;
}

/** A checked rate. */
export interface CheckedRate {
  readonly max: number;
  readonly perMs: number;
}

/** The checked limits of a type. */
export interface CheckedRateLimit {
  readonly perUser: CheckedRate | null;
  readonly total: CheckedRate | null;
}

/** Beginning of the `type` under which an event's limits are counted. No type of a message has a space. */
export const EVENT_LIMIT = "event ";

/** One request's use of one limit. */
export interface LimitedDispatch extends CheckedRate {
  readonly type: string;
  /** Owner of the allowance: `user:<id>`, `publishable` or `total`. */
  readonly caller: string;
  /** Number of messages to dispatch. */
  readonly count: number;
}

/** A rate limit is reached; no message was written. */
export class RateLimitedError extends Error {
  override readonly name = "RateLimitedError";

  /** @param retryAfterMs ms from now after which the same dispatch is allowed */
  constructor(message: string, readonly retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
  }
}

const LARGEST_MAX = 1_000_000;
const SHORTEST_PER_MS = 1_000;

/**
 * Checks a definition's `rateLimit`.
 * @param field name of the option in an error
 * @throws RangeError that names the field
 */
export function parseRateLimit(value: RateLimit, field: string): CheckedRateLimit {
  const names = isOptions(value) ? Object.keys(value) : [];
  if (names.length === 0 || names.some((name) => name !== "perUser" && name !== "total")) {
    throw new RangeError(`${field}: has to have perUser, total or both; got ${showValue(value)}`);
  }
  return {
    perUser: parseRate(value.perUser, `${field}: perUser`),
    total: parseRate(value.total, `${field}: total`),
  };
}

function parseRate(rate: Rate | undefined, field: string): CheckedRate | null {
  if (rate === undefined) return null;
  if (!isOptions(rate)) {
    throw new RangeError(`${field}: has to be { max, per }; got ${showValue(rate)}`);
  }
  checkNames(rate, ["max", "per"], `${field}: `);
  const { max } = rate;
  if (!Number.isInteger(max) || max < 1 || max > LARGEST_MAX) {
    throw new RangeError(
      `${field}: max: has to be a whole number from 1 to ${LARGEST_MAX}; got ${showValue(max)}`,
    );
  }
  const perMs = parseDuration(rate.per, `${field}: per`);
  if (perMs < SHORTEST_PER_MS) {
    throw new RangeError(`${field}: per: has to be at least 1s; got ${showValue(rate.per)}`);
  }
  return { max, perMs };
}
