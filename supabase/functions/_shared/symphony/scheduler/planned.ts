/**
 * Checks the planned time in a row against the schedule. Other time zone data may have produced it, or an
 * edit in the SQL editor. Pure.
 */

import { checkSchedule } from "./check-schedule.ts";
import { type ListedSchedule, optionsOf, timingOf } from "./schedule.ts";
import { nextOccurrence, type Timing } from "./timing.ts";

/** A remark about a schedule in the record of its runs. */
export interface Note {
  /** In ms since 1970. */
  readonly at: number;
  readonly reason: string;
}

/** The next occurrence of a stored schedule. */
export interface FirstOccurrence {
  readonly timing: Timing;
  /** In ms since 1970, due or not; null if there is none. */
  readonly first: number | null;
  /** Set if the row's time was not one of the schedule's. */
  readonly note: Note | null;
}

/** A planned time this long before the schedule's creation, in ms, is no plan. */
const LONGEST_BEFORE_CREATION_MS = 366 * 86_400_000;
/** A clock that was set back leaves moments ahead of it, but not by more than this, in ms. */
const LONGEST_AHEAD_MS = 86_400_000;

/**
 * Returns the next occurrence of a stored schedule, and its times. A planned time that the schedule does
 * not have is planned again from the run before.
 * @param now the database's clock, in ms since 1970
 * @throws RangeError if the schedule cannot be read
 */
export function firstOccurrence(schedule: ListedSchedule, now: number): FirstOccurrence {
  const definition = checkSchedule(optionsOf(schedule), {});
  const { startAt } = definition;
  const planned = schedule.nextRunAt?.getTime() ?? null;
  const last = pastMoment(schedule.lastRunAt, now);
  const created = pastMoment(schedule.createdAt, now) ?? now;
  const updated = pastMoment(schedule.updatedAt, now) ?? now;
  // Intervals are counted from the run before, or else from the beginning.
  const counted = (startAt !== null && startAt > (last ?? -Infinity) ? startAt : last) ?? created;

  if (planned !== null) {
    // If they are counted from the planned run, the schedule keeps in step with it.
    const timing = timingOf(definition, planned);
    const isAhead = timing.type === "once"
      ? planned !== last
      : planned > Math.max(last ?? -Infinity, created - LONGEST_BEFORE_CREATION_MS);
    if (isAhead && gives(timing, planned)) return { timing, first: planned, note: null };
  }
  const timing = timingOf(definition, counted);
  // Nothing is made up for the time before the schedule was made, changed or enabled. A single run comes late, also
  // where it was made before at a later time.
  const after = timing.type !== "once"
    ? Math.max(updated, last ?? -Infinity)
    : timing.at === last
    ? last
    : -Infinity;
  const first = nextOccurrence(timing, after);
  return { timing, first, note: planned === null ? null : noteOf(planned, first, now) };
}

/**
 * A stored moment in ms since 1970; null for one that a Date cannot hold, such as infinity, or that is still to
 * come: an edit wrote it, and nothing would be planned behind it.
 */
function pastMoment(stored: Date | null, now: number): number | null {
  const moment = stored?.getTime() ?? NaN;
  return moment <= now + LONGEST_AHEAD_MS ? moment : null;
}

/** Tells whether a moment is an occurrence. A moment after the schedule's end counts: it is the end. */
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
