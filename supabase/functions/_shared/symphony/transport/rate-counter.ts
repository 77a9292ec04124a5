/** Counts rate limits for the transport in memory. */

import { EVENT_LIMIT, type LimitedDispatch, RateLimitedError } from "../message/rate-limit.ts";

/** Counts dispatches against limits in this process, like the database. */
export class RateCounter {
  /** For each allowance, when it is whole again, when it was last used, and a message's share of its period then. Whole microseconds keep sums exact. */
  readonly #used = new Map<string, { fullAt: number; countedAt: number; each: number }>();

  /**
   * Counts a dispatch against all of its limits, or against none if one refuses it.
   * @throws RateLimitedError if one of the limits is reached
   */
  count(limits: readonly LimitedDispatch[], nowMs: number): void {
    const now = nowMs * 1_000;
    const counted = limits.map(({ type, caller, count, max, perMs }) => {
      const key = JSON.stringify([type, caller]);
      const share = Math.floor(count * perMs * 1_000 / max);
      const each = perMs / max;
      const used = this.#used.get(key) ?? { fullAt: now, countedAt: now, each };
      // A changed limit holds for earlier dispatches too.
      const before = used.each === each
        ? used.fullAt - used.countedAt
        : Math.floor((used.fullAt - used.countedAt) / used.each * each);
      const fullAt = Math.max(now, used.countedAt + Math.min(before, perMs * 1_000)) + share;
      return { type, key, fullAt, each, waitMs: Math.ceil((fullAt - now) / 1_000 - perMs) };
    });
    const refused = counted.toSorted((a, b) => b.waitMs - a.waitMs)[0];
    if (refused && refused.waitMs > 0) {
      throw new RateLimitedError(refusalOf(refused.type), refused.waitMs);
    }
    for (const { key, fullAt, each } of counted) {
      this.#used.set(key, { fullAt, countedAt: now, each });
    }
  }
}

function refusalOf(type: string): string {
  return type.startsWith(EVENT_LIMIT)
    ? `event: too many emits of ${type.slice(EVENT_LIMIT.length)}`
    : `type: too many messages of the type ${type}`;
}
