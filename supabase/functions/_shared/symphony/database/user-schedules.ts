/** Schedules as the user who made them changes them. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ConflictError } from "../message/errors.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { readProperty } from "../runtime/inspect.ts";
import type { DueSchedule, Schedule, ScheduleChange } from "../scheduler/schedule.ts";
import { fromLimit } from "./enqueue.ts";
import { isId } from "./ids.ts";
import { callRpc } from "./rpc.ts";
import { fromChange, type ScheduleRow, toDueSchedule, toSchedule } from "./schedule-rows.ts";

const TIMEOUT_MS = 10_000;

/** A schedule, and what a change says to prove that it knows this definition. */
export interface SeenSchedule {
  readonly schedule: DueSchedule;
  readonly seen: string;
  /** The database's clock, in ms since 1970. */
  readonly now: number;
}

/** A user's change of a schedule. */
export interface OwnScheduleChange {
  readonly userId: string;
  readonly id: string;
  /** The options to change, checked together with the schedule that was `seen`; null changes none. */
  readonly change: ScheduleChange | null;
  readonly seen: string;
  /** Pauses or resumes it; undefined leaves it as it is. */
  readonly enabled: boolean | undefined;
  /** Rate limits that count the change as one message. */
  readonly limits: readonly LimitedDispatch[];
  /** How many unfinished schedules the user may have. */
  readonly maxSchedules: number;
}

/**
 * Returns a schedule with its payload and stamps.
 * @param client made with a secret key
 * @returns null if no schedule of this user has the id
 * @throws TransportError if the database call failed
 */
export async function showOwnSchedule(
  client: SupabaseClient,
  userId: string,
  id: string,
): Promise<SeenSchedule | null> {
  if (!isId(id)) return null;
  const args = { user_id: userId, id };
  const found = await callRpc<{ schedule: ScheduleRow; seen: string; now: string } | null>(
    client,
    "messenger_show_user_schedule",
    args,
    TIMEOUT_MS,
  );
  return found && {
    schedule: toDueSchedule(found.schedule),
    seen: found.seen,
    now: Date.parse(found.now),
  };
}

/**
 * Changes a schedule in one transaction, and returns it.
 * @param client made with a secret key
 * @throws ConflictError if it is another than was seen ({@link isStale}), if the quota is reached, or if it may
 * not be resumed; RateLimitedError; NotFoundError if it is gone; TransportError if the database call failed
 */
export async function changeOwnSchedule(
  client: SupabaseClient,
  { userId, id, change, seen, enabled, limits, maxSchedules }: OwnScheduleChange,
): Promise<Schedule> {
  const row = await callRpc<ScheduleRow>(client, "messenger_change_user_schedule", {
    user_id: userId,
    id,
    change: change && fromChange(change),
    seen,
    enabled,
    limits: limits.map(fromLimit),
    max_schedules: maxSchedules,
  }, TIMEOUT_MS);
  return toSchedule(row);
}

/** Tells whether a change was refused because the schedule has changed since it was seen. */
export function isStale(error: unknown): boolean {
  return error instanceof ConflictError && readProperty(error.cause, "details") === "stale";
}
