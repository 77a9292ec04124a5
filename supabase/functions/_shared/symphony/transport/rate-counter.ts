/** Counts rate limits for the transport in memory. */

import { EVENT_LIMIT, type LimitedDispatch, RateLimitedError } from "../message/rate-limit.ts";

/** Counts dispatches against limits in this process, like the database. */
export class RateCounter {
  /** For each allowance, when it is whole again and when it was last used. Whole microseconds keep sums exact. */
  readonly #used = new Map<string, { readonly fullAt: number; readonly countedAt: number }>();

  /**
   * Counts a dispatch against all of its limits, or against none if one refuses it.
   * @throws RateLimitedError if one of the limits is reached
   */
  count(limits: readonly LimitedDispatch[], nowMs: number): void {
    const now = nowMs * 1_000;
    const counted = limits.map(({ type, caller, count, max, perMs }) => {
      const key = JSON.stringify([type, caller]);
      const share = Math.floor(count * perMs * 1_000 / max);
      const { fullAt: before, countedAt } = this.#used.get(key) ?? { fullAt: now, countedAt: now };
      // A shortened period holds for earlier dispatches too.
      const fullAt = Math.max(now, Math.min(before, countedAt + perMs * 1_000)) + share;
      return { type, key, fullAt, waitMs: Math.ceil((fullAt - now) / 1_000 - perMs) };
    });
    const refused = counted.toSorted((a, b) => b.waitMs - a.waitMs)[0];
    if (refused && refused.waitMs > 0) {
      throw new RateLimitedError(refusalOf(refused.type), refused.waitMs);
    }
    for (const { key, fullAt } of counted) this.#used.set(key, { fullAt, countedAt: now });
  }
}

function refusalOf(type: string): string {
  return type.startsWith(EVENT_LIMIT)
    ? `event: too many emits of ${type.slice(EVENT_LIMIT.length)}`
    : `type: too many messages of the type ${type}`;
}
