/** Lists of schedules for operators, a page at a time, without payloads. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { ListedSchedule, ScheduleRun } from "../scheduler/schedule.ts";
import { toArguments } from "./listed-rows.ts";
import { callRpc } from "./rpc.ts";
import { type RunRow, type ScheduleRow, toListedSchedule, toRun } from "./schedule-rows.ts";

const TIMEOUT_MS = 10_000;

/** Which page of schedules to list. A field that is left out matches all. */
export interface ScheduleListFilter {
  readonly name?: string | undefined;
  readonly messageType?: string | undefined;
  readonly enabled?: boolean | undefined;
  /** The last id of the page before. */
  readonly afterId?: string | undefined;
  /** Length of a page. */
  readonly maxSchedules?: number | undefined;
  /** How many of its latest runs each schedule has. */
  readonly maxRuns?: number | undefined;
}

/** Lists schedules in the order of their ids. @throws the errors of `callRpc` */
export async function listSchedules(
  client: SupabaseClient,
  { maxRuns = 0, ...filter }: ScheduleListFilter,
): Promise<(ListedSchedule & { readonly runs?: ScheduleRun[] })[]> {
  const { schedules } = await callRpc<{ schedules: (ScheduleRow & { runs?: RunRow[] })[] }>(
    client,
    "messenger_list_schedules",
    // A database of an older release has no argument of that name.
    toArguments(maxRuns > 0 ? { ...filter, maxRuns } : filter),
    TIMEOUT_MS,
  );
  return schedules.map((row) => ({
    ...toListedSchedule(row),
    ...(row.runs && { runs: row.runs.map(toRun) }),
  }));
}

/** Which page of schedules with runs to come. */
export interface UpcomingFilter {
  readonly until: Date;
  /** `next` of the page before: a moment to the microsecond, and an id. */
  readonly afterAt?: string | undefined;
  readonly afterId?: string | undefined;
  /** Length of a page. */
  readonly maxSchedules: number;
}

/**
 * Lists enabled schedules whose next run is due by a moment, or not planned yet, the next one first.
 * @returns the schedules, the database's clock in ms since 1970, and where the next page begins
 * @throws the errors of `callRpc`
 */
export async function listUpcoming(
  client: SupabaseClient,
  filter: UpcomingFilter,
): Promise<{ schedules: ListedSchedule[]; now: number; next: unknown }> {
  const page = await callRpc<{ schedules: ScheduleRow[]; now: string; next: unknown }>(
    client,
    "messenger_list_upcoming",
    toArguments(filter),
    TIMEOUT_MS,
  );
  return {
    schedules: page.schedules.map(toListedSchedule),
    now: Date.parse(page.now),
    next: page.next,
  };
}
