/** Previews the next occurrences of a schedule that is not yet made, or stored. Pure. */

import { showValue } from "../runtime/inspect.ts";
import { allowsPast } from "./arguments.ts";
import { checkSchedule } from "./check-schedule.ts";
import { firstRun } from "./first-run.ts";
import type { ScheduleOptions } from "./schedule-options.ts";
import { firstOccurrence } from "./planned.ts";
import { type Schedule, timingOf } from "./schedule.ts";
import { nextOccurrence, type Timing } from "./timing.ts";

const MOST = 1_000;

/**
 * Returns the next `n` occurrences after a moment, without jitter; fewer if the schedule ends before.
 * @param n 1 to 1,000
 * @param from default: the current time; an interval without `startAt` is counted from it
 * @throws RangeError that names the wrong option
 */
export function previewSchedule(
  options: ScheduleOptions,
  n: number,
  from: Date = new Date(),
): Date[] {
  const definition = checkSchedule(options);
  const after = from.getTime();
  if (Number.isNaN(after)) throw new RangeError("from: is no valid Date");
  const timing = timingOf(definition, definition.startAt ?? after);
  return upcoming(timing, nextOccurrence(timing, after), checkCount(n), definition.maxRuns);
}

/**
 * Returns the zone and the next `n` occurrences of a schedule that is not saved, and refuses what a save would refuse.
 * @param n 1 to 1,000
 * @param now the database's clock, in ms since 1970
 * @throws RangeError that names the wrong option
 */
export function previewDraft(
  options: ScheduleOptions,
  n: number,
  now: number,
): { readonly timezone: string; readonly occurrences: readonly Date[] } {
  const definition = checkSchedule(options);
  const first = firstRun(definition, now, allowsPast(options));
  if (typeof first === "string") throw new RangeError(first);
  const timing = timingOf(definition, definition.startAt ?? now);
  const occurrences = upcoming(timing, first, checkCount(n), definition.maxRuns);
  return { timezone: definition.timezone, occurrences };
}

/**
 * Returns the next `n` occurrences of a stored schedule, as if it were enabled.
 * @param now the database's clock, in ms since 1970
 * @throws RangeError if `n` is wrong, or the stored schedule cannot be read
 */
export function previewStored(schedule: Schedule, n: number, now: number): Date[] {
  const { timing, first } = firstOccurrence(schedule, now);
  const next = first !== null && first <= now ? nextOccurrence(timing, now) : first;
  const left = schedule.maxRuns === null ? null : schedule.maxRuns - schedule.runCount;
  return upcoming(timing, next, checkCount(n), left);
}

function upcoming(timing: Timing, first: number | null, n: number, left: number | null): Date[] {
  const dates: Date[] = [];
  let next = first;
  while (next !== null && dates.length < Math.min(n, left ?? n)) {
    dates.push(new Date(next));
    next = nextOccurrence(timing, next);
  }
  return dates;
}

function checkCount(n: number): number {
  if (!Number.isInteger(n) || n < 1 || n > MOST) {
    throw new RangeError(`n: has to be a whole number from 1 to ${MOST}; got ${showValue(n)}`);
  }
  return n;
}
