/** Finds the first run of a schedule before it is saved, by the database's clock. Pure. */

import type { ScheduleDefinition } from "./check-schedule.ts";
import { type Schedule, timingOf } from "./schedule.ts";
import { nextOccurrence } from "./timing.ts";

const NO_RUN_LEFT = "endAt: no occurrence is left before it";

/**
 * Returns the first occurrence in ms since 1970; or a text that names the option that rules it out.
 * @param now the database's clock, in ms since 1970
 * @param allowPast whether a single run may be in the past
 */
export function firstRun(
  definition: ScheduleDefinition,
  now: number,
  allowPast: boolean,
): number | string {
  const { times, startAt } = definition;
  if (times.type === "once" && times.at < now && !allowPast) {
    const at = new Date(times.at).toISOString();
    return `config.at: ${at} is in the past; with allowPast it would run now`;
  }
  const timing = timingOf(definition, startAt ?? now);
  const first = nextOccurrence(timing, times.type === "once" ? -Infinity : now);
  if (first !== null) return first;
  return times.type === "once" && times.at < timing.from
    ? "startAt: comes after config.at"
    : NO_RUN_LEFT;
}

/**
 * Returns why the new end of a stored schedule is refused: no occurrence is left before it. Undefined if one is.
 * @param stored the schedule before the change, whose other times stay
 * @param now the database's clock, in ms since 1970
 */
export function refusedEnd(
  definition: ScheduleDefinition,
  stored: Pick<Schedule, "nextRunAt" | "lastRunAt" | "createdAt">,
  now: number,
): string | undefined {
  const { nextRunAt, lastRunAt, createdAt } = stored;
  // An interval keeps in step with its runs.
  const anchor = nextRunAt ?? lastRunAt ?? createdAt;
  const timing = timingOf(definition, anchor.getTime());
  const next = nextOccurrence(timing, timing.type === "once" ? -Infinity : now);
  return next === null ? NO_RUN_LEFT : undefined;
}
