/** Computes the occurrences of a schedule: from any moment to the next one. Pure. */

import { LAST_MOMENT } from "../runtime/checks.ts";
import { countCronTimes, getNextCronTime } from "./cron-parser.ts";

/**
 * The times of a schedule; all moments are in ms since 1970. No occurrence is before `from` or after
 * `until`; without a bound these are -Infinity and Infinity.
 */
export type Timing =
  & { readonly from: number; readonly until: number }
  & (
    | { readonly type: "once"; readonly at: number }
    | { readonly type: "cron"; readonly cron: string; readonly timezone: string }
    /** `anchor` plus any whole number of intervals: late ticks shift nothing. */
    | { readonly type: "interval"; readonly intervalMs: number; readonly anchor: number }
  );

/**
 * The first occurrence strictly after a moment, in ms since 1970; null if there is none.
 * @throws RangeError that starts with `cron:` or `timezone:` if one of these is wrong
 */
export function nextOccurrence(timing: Timing, after: number): number | null {
  const next = step(timing, Math.max(after, timing.from - 1));
  return next > after && next <= Math.min(timing.until, LAST_MOMENT) ? next : null;
}

function step(timing: Timing, after: number): number {
  switch (timing.type) {
    case "once":
      return timing.at >= timing.from ? timing.at : -Infinity;
    case "cron":
      return after < LAST_MOMENT
        ? getNextCronTime(timing.cron, new Date(after), timing.timezone).getTime()
        : Infinity;
    case "interval": {
      const { anchor, intervalMs } = timing;
      return anchor + Math.max(0, Math.floor((after - anchor) / intervalMs) + 1) * intervalMs;
    }
  }
}

/**
 * Counts the occurrences from `first` up to `now`.
 * @param first an occurrence that is not after `now`
 */
export function countOccurrences(timing: Timing, first: number, now: number): number {
  const until = Math.min(now, timing.until, LAST_MOMENT);
  if (until < first) return 0;
  switch (timing.type) {
    case "once":
      return 1;
    case "cron":
      return countCronTimes(timing.cron, first, until, timing.timezone);
    case "interval":
      return Math.floor((until - first) / timing.intervalMs) + 1;
  }
}

/**
 * The first of the latest `n` occurrences up to `now`, by bisection over their number.
 * @param first an occurrence that is not after `now`
 */
export function firstOfLatest(timing: Timing, first: number, now: number, n: number): number {
  let before = first - 1;
  let start = first;
  for (let bound = now; countOccurrences(timing, start, now) > n;) {
    const middle = before + Math.ceil((bound - before) / 2);
    const candidate = nextOccurrence(timing, middle);
    if (candidate !== null && countOccurrences(timing, candidate, now) >= n) {
      [before, start] = [middle, candidate];
    } else bound = middle - 1;
  }
  return start;
}

/**
 * The latest occurrence up to a moment, by bisection: a year of downtime costs no more than an hour.
 * @param first an occurrence that is not after `now`
 */
export function latestOccurrence(timing: Timing, first: number, now: number): number {
  let latest = first;
  let bound = now;
  for (let next = nextDue(latest); next !== null; next = nextDue(latest)) {
    const middle = next + Math.floor((bound - next) / 2);
    const beyond = nextDue(middle);
    latest = beyond ?? next;
    if (beyond === null) bound = middle;
  }
  return latest;

  /** The occurrence after a moment, if it is due. */
  function nextDue(after: number): number | null {
    const next = nextOccurrence(timing, after);
    return next !== null && next <= now ? next : null;
  }
}
