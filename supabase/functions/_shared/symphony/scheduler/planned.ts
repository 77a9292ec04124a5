/**
 * The planned time that stands in a row, and whether the schedule still gives it. It may have been
 * planned with other time zone data, or written by hand. Pure.
 */

import { checkSchedule } from "./check-schedule.ts";
import { optionsOf, type Schedule, timingOf } from "./schedule.ts";
import { nextOccurrence, type Timing } from "./timing.ts";

/** Something to be told about a schedule in the record of its runs. */
export interface Note {
  /** In ms since 1970. */
  readonly at: number;
  readonly reason: string;
}

/** What a schedule comes to next. */
export interface FirstOccurrence {
  readonly timing: Timing;
  /** In ms since 1970, due or not; null where none is left. */
  readonly first: number | null;
  /** Where the time in the row was not one of the schedule's. */
  readonly note: Note | null;
}

/** A time so long before the schedule was made is nobody's plan, in ms. */
const LONGEST_BEFORE_CREATION_MS = 366 * 86_400_000;

/**
 * The occurrence a stored schedule comes to next, and its times. A planned time that the schedule does
 * not give is planned again, from the run before.
 * @param now the database's clock, in ms since 1970
 * @throws RangeError if the schedule cannot be read
 */
export function firstOccurrence(schedule: Schedule, now: number): FirstOccurrence {
  const definition = checkSchedule(optionsOf(schedule), {});
  const { startAt } = definition;
  const planned = schedule.nextRunAt?.getTime() ?? null;
  const last = schedule.lastRunAt?.getTime() ?? null;
  const [created, updated] = [schedule.createdAt.getTime(), schedule.updatedAt.getTime()];
  // An interval is counted from the run before, else the beginning.
  const counted = (startAt !== null && startAt > (last ?? -Infinity) ? startAt : last) ?? created;

  if (planned !== null) {
    // Or from the run that is planned: then it goes on in step with it.
    const timing = timingOf(definition, planned);
    const earliest = timing.type === "once" ? -Infinity : created - LONGEST_BEFORE_CREATION_MS;
    const isAhead = planned > Math.max(last ?? -Infinity, earliest);
    if (isAhead && gives(timing, planned)) return { timing, first: planned, note: null };
  }
  const timing = timingOf(definition, counted);
  // Nothing is made up for the time before the schedule was made, changed or enabled.
  const after = timing.type === "once" ? last : Math.max(updated, last ?? -Infinity);
  const first = nextOccurrence(timing, after ?? -Infinity);
  return { timing, first, note: planned === null ? null : noteOf(planned, first, now) };
}

/** Whether a moment is one of the schedule's. One behind its end is, and is its end. */
function gives(timing: Timing, moment: number): boolean {
  return nextOccurrence({ ...timing, until: Infinity }, moment - 1) === moment;
}

function noteOf(planned: number, first: number | null, now: number): Note {
  const given = Number.isNaN(planned) ? "a time out of range" : new Date(planned).toISOString();
  const next = first === null ? "none is left" : `it is ${new Date(first).toISOString()}`;
  return {
    at: Number.isNaN(planned) ? now : planned,
    reason: `next_run_at: planned again, as the schedule does not give ${given}; ${next}`,
  };
}
