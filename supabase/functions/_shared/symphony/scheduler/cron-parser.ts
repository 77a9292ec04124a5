// Finds the next run of a cron expression in a time zone, by the rule of Vixie cron (cron(8)).
//
// The rule for a change of the zone's offset:
//   - A job whose minute or hour starts with `*` follows real time: it runs whenever the wall clock
//     matches, so not in a gap, and in both passes of a repeated hour.
//   - Any other job has fixed times: those in a gap run once, at the first instant after it, and
//     those in a repeated hour run in the first pass only.
//   - A change of more than 3 hours counts as a clock that was set: the rule does nothing for it.
import { countMatches, DAY, MINUTE, nextMatch } from "./cron-calendar.ts";
import { type CronExpression, parseCronExpression } from "./cron-expression.ts";
import { getTimeZone, type OffsetSpan } from "./time-zone.ts";

const LARGEST_CORRECTED_CHANGE = 180 * MINUTE;
/** Longer than any wait: February 29 falls on a given weekday within 40 years. */
const SEARCH_LIMIT = 100 * 366 * DAY;
/** The first moment of the years 1 to 9999. */
const FIRST_AFTER = -62_135_596_800_000;
const LAST_AFTER = 253_402_300_799_999;

/**
 * The first run of a cron expression strictly after `after`, on the wall clock of an IANA zone. It is a
 * whole minute of that clock, or the end of a gap. In UTC it is a whole minute too, except for offsets
 * with seconds, which ended in 1972.
 *
 * Throws a RangeError that starts with `cron:`, `timezone:` or `after:` and names the problem: an
 * expression that is malformed or never fires, an unknown zone, or a date that is invalid or outside of
 * the years 1 to 9999.
 */
export function getNextCronTime(expression: string, after: Date, timezone = "UTC"): Date {
  const cron = parseCronExpression(expression);
  const zone = getTimeZone(timezone);
  const afterTime = after instanceof Date ? after.getTime() : NaN;
  if (!(afterTime >= FIRST_AFTER && afterTime <= LAST_AFTER)) {
    throw new RangeError("after: must be a valid Date in the years 1 to 9999");
  }

  const limit = afterTime + SEARCH_LIMIT;
  let instant = skipIdleTime(cron, afterTime + 1);
  while (instant < limit) {
    const span = zone.spanAt(instant);
    const run = firstRunInSpan(cron, span, instant);
    if (run !== undefined) return new Date(run);
    instant = skipIdleTime(cron, span.end);
  }
  throw new RangeError(`cron: "${expression}" never fires in ${timezone}`);
}

/**
 * Counts the runs of a cron expression from `from` up to and including `until`, both in ms since 1970.
 * Quick for long spans: it counts days, not runs.
 *
 * Throws a RangeError that starts with `cron:` or `timezone:` if one of these is wrong.
 */
export function countCronTimes(
  expression: string,
  from: number,
  until: number,
  timezone: string,
): number {
  const cron = parseCronExpression(expression);
  const zone = getTimeZone(timezone);
  let count = 0;
  for (let instant = from; instant <= until;) {
    const span = zone.spanAt(instant);
    count += countInSpan(cron, span, instant, Math.min(span.end, until + 1));
    instant = span.end;
  }
  return count;
}

/**
 * Tells whether `getNextCronTime` accepts an expression: five fields or a nickname, with a date that
 * exists. For any other value, also one that is no string, it returns false.
 */
export function validateCronExpression(expression: string): boolean {
  try {
    parseCronExpression(expression);
    return true;
  } catch {
    return false;
  }
}

/**
 * The instant before which no run is possible, or `from` itself. A wall clock is less than a day away
 * from UTC, and a missed time is made up for within 3 hours.
 */
function skipIdleTime(cron: CronExpression, from: number): number {
  return Math.max(from, nextMatch(cron, from - DAY) - DAY);
}

/** The first run at or after `from`, an instant in `span`, and before the end of `span`. */
function firstRunInSpan(cron: CronExpression, span: OffsetSpan, from: number): number | undefined {
  if (makesUp(cron, span, from)) return span.start;
  const run = nextMatch(cron, searchFrom(cron, span, from) + span.offset) - span.offset;
  return run < span.end ? run : undefined;
}

/** Counts the runs at or after `from`, an instant in `span`, and before `end`. */
function countInSpan(cron: CronExpression, span: OffsetSpan, from: number, end: number): number {
  const madeUp = makesUp(cron, span, from) ? 1 : 0;
  const wall = searchFrom(cron, span, from + madeUp) + span.offset;
  return madeUp + countMatches(cron, wall, end + span.offset);
}

/** Tells whether `from` is the end of a gap that a fixed time fell into, which then runs here. */
function makesUp(cron: CronExpression, span: OffsetSpan, from: number): boolean {
  const change = span.offset - span.previousOffset;
  const isGap = change > 0 && change <= LARGEST_CORRECTED_CHANGE;
  return !cron.followsRealTime && isGap && from === span.start &&
    nextMatch(cron, span.start + span.previousOffset) < span.start + span.offset;
}

/** The start of the search. For fixed times it is after the second pass of a repeated hour. */
function searchFrom(cron: CronExpression, span: OffsetSpan, from: number): number {
  const change = span.offset - span.previousOffset;
  const isRepeat = change < 0 && -change <= LARGEST_CORRECTED_CHANGE;
  return !cron.followsRealTime && isRepeat ? Math.max(from, span.start - change) : from;
}
