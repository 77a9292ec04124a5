/**
 * Rate limits: how many messages of a type may be dispatched over HTTPS. They are counted where the
 * messages are written, by the generic cell rate algorithm (ITU-T I.371, annex A): up to `max` at
 * once, and one more each `per / max`.
 */

import { type Duration, parseDuration } from "./duration.ts";
import { showValue } from "./inspect.ts";
import type { Registry } from "./message.ts";
import { checkNames } from "./option-names.ts";

/** So many messages within a time. */
export interface Rate {
  /** 1 to 1,000,000. */
  readonly max: number;
  /** At least a second. */
  readonly per: Duration;
}

/** The limits of a type. */
export interface RateLimit {
  /** Of each user. Callers who have only the publishable key cannot be told apart: they share one. */
  readonly perUser?: Rate;
  /** Of all users and holders of the publishable key together. */
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

/** What one request asks of one limit. */
export interface LimitedDispatch extends CheckedRate {
  readonly type: string;
  /** Whose allowance it is: `user:<id>`, `publishable` or `total`. */
  readonly caller: string;
  /** So many messages are to be dispatched. */
  readonly count: number;
}

/** A rate limit is reached; nothing was written. */
export class RateLimitedError extends Error {
  override readonly name = "RateLimitedError";

  /** @param retryAfterMs when the same dispatch would pass, in ms from now */
  constructor(message: string, readonly retryAfterMs: number, options?: ErrorOptions) {
    super(message, options);
  }
}

const LARGEST_MAX = 1_000_000;
const SHORTEST_PER_MS = 1_000;

/**
 * Checks a definition's `rateLimit`.
 * @param field what the error calls it
 * @throws RangeError that names the field
 */
export function parseRateLimit(value: RateLimit, field: string): CheckedRateLimit {
  const names = typeof value === "object" && value !== null ? Object.keys(value) : [];
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
  if (typeof rate !== "object" || rate === null) {
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

/**
 * What a request asks of the limits of its messages' types; empty where none has one.
 * @param caller whose allowance it is: `user:<id>` or `publishable`
 * @throws RangeError if more messages of a type are given than its limit ever lets through at once
 */
export function limitsOf(
  messages: readonly { readonly type: string }[],
  caller: string,
  registry: Registry,
): LimitedDispatch[] {
  const counts = new Map<string, number>();
  for (const { type } of messages) counts.set(type, (counts.get(type) ?? 0) + 1);
  const limits: LimitedDispatch[] = [];
  for (const [type, count] of counts) {
    const { perUser = null, total = null } = registry.get(type)?.rateLimit ?? {};
    for (const [whose, rate] of [[caller, perUser], ["total", total]] as const) {
      if (rate && count > rate.max) {
        throw new RangeError(`type: at most ${rate.max} messages of the type ${type} at once`);
      }
      if (rate) limits.push({ ...rate, type, caller: whose, count });
    }
  }
  return limits;
}

/** Counts against limits in this process, as the database does. */
export class RateCounter {
  /** When each allowance is whole again, and when it was last used, in whole microseconds: their sums are exact. */
  readonly #used = new Map<string, { readonly fullAt: number; readonly countedAt: number }>();

  /**
   * Counts what is to be dispatched, all or nothing.
   * @throws RateLimitedError if one of the limits is reached
   */
  count(limits: readonly LimitedDispatch[], nowMs: number): void {
    const now = nowMs * 1_000;
    const counted = limits.map(({ type, caller, count, max, perMs }) => {
      const key = JSON.stringify([type, caller]);
      const share = Math.floor(count * perMs * 1_000 / max);
      const { fullAt: before, countedAt } = this.#used.get(key) ?? { fullAt: now, countedAt: now };
      // A period that was shortened holds for what was counted before, too.
      const fullAt = Math.max(now, Math.min(before, countedAt + perMs * 1_000)) + share;
      return { type, key, fullAt, waitMs: Math.ceil((fullAt - now) / 1_000 - perMs) };
    });
    const refused = counted.toSorted((a, b) => b.waitMs - a.waitMs)[0];
    if (refused && refused.waitMs > 0) {
      const message = `type: too many messages of the type ${refused.type}`;
      throw new RateLimitedError(message, refused.waitMs);
    }
    for (const { key, fullAt } of counted) this.#used.set(key, { fullAt, countedAt: now });
  }
}
