/** Finds the first run of a schedule before it is saved, by the database's clock. Pure. */

import type { ScheduleDefinition } from "./check-schedule.ts";
import { timingOf } from "./schedule.ts";
import { nextOccurrence } from "./timing.ts";

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
    : "endAt: no occurrence is left before it";
}
