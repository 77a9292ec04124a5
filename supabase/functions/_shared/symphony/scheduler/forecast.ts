/** Planned times of a stored schedule within a time. Pure. */

import { CATCH_UP_LIMIT, ON_TIME_MS } from "./plan.ts";
import { firstOccurrence } from "./planned.ts";
import type { ListedSchedule } from "./schedule.ts";
import { countOccurrences, nextOccurrence, type Timing } from "./timing.ts";

/** The planned times of a schedule within a time. */
export interface Forecast {
  /** The first of them. */
  readonly occurrences: readonly Date[];
  /** Their number. */
  readonly count: number;
  /** Why the schedule cannot be read; null if it can. */
  readonly problem: string | null;
}

/**
 * Returns the planned times of a stored schedule from a moment until before another, as if it were enabled.
 * @param within.now the database's clock; nothing is planned before it. All moments are in ms since 1970
 * @param within.n largest number of times
 */
export function forecast(
  schedule: ListedSchedule,
  within: {
    readonly from: number;
    readonly until: number;
    readonly now: number;
    readonly n: number;
  },
): Forecast {
  const { from, until, now, n } = within;
  try {
    const { timing, first } = firstOccurrence(schedule, now);
    const left = schedule.maxRuns === null ? Infinity : schedule.maxRuns - schedule.runCount;
    const start = Math.max(from, now);
    // A run that is due comes with the next tick.
    const begin = first === null || first >= start ? first : nextOccurrence(timing, start - 1);
    if (first === null || begin === null || begin >= until || left <= 0) {
      return { occurrences: [], count: 0, problem: null };
    }
    // Runs before the time use up the number of runs that is left.
    const before = left === Infinity ? 0 : madeUp(schedule, timing, { first, begin, now }) +
      countOccurrences(timing, Math.max(first, now + 1), begin - 1);
    const count = Math.max(0, Math.min(countOccurrences(timing, begin, until - 1), left - before));
    const occurrences: Date[] = [];
    for (let at: number | null = begin; at !== null && occurrences.length < Math.min(n, count);) {
      occurrences.push(new Date(at));
      at = nextOccurrence(timing, at);
    }
    return { occurrences, count, problem: null };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { occurrences: [], count: 0, problem: error.message };
  }
}

/** The number of runs that the next tick makes for planned times that are due, before the forecast begins. */
function madeUp(
  { catchUp, catchUpLimit }: ListedSchedule,
  timing: Timing,
  { first, begin, now }: { readonly first: number; readonly begin: number; readonly now: number },
): number {
  const due = countOccurrences(timing, first, Math.min(now, begin - 1));
  if (due === 0) return 0;
  if (catchUp === "all") return Math.min(due, catchUpLimit ?? CATCH_UP_LIMIT);
  // One run stands for all that is due. If it is the first of the forecast, none comes before.
  if (begin <= now) return 0;
  if (catchUp === "latest") return 1;
  const latest = nextOccurrence(timing, now - ON_TIME_MS - 1);
  return latest !== null && latest <= now ? 1 : 0;
}
