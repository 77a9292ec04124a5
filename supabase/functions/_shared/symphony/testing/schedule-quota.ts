/** How many schedules a user may have at a time. Pure. */

import { ConflictError } from "../message/errors.ts";
import type { SaveLimits } from "../scheduler/store.ts";
import type { StoredSchedule } from "./stored-schedule.ts";

/** Whether a user has made a schedule. */
export function isOfUser({ stamps }: StoredSchedule, userId: string): boolean {
  return stamps?.user?.id === userId;
}

/**
 * Checks that a user may have more schedules. Those that are finished do not count.
 * @returns the finished ones that are beyond the quota, which are to be removed
 * @throws ConflictError at the quota
 */
export function checkQuota(
  rows: readonly StoredSchedule[],
  { userId, max }: NonNullable<SaveLimits["quota"]>,
  wanted: number,
): StoredSchedule[] {
  const own = rows.filter((row) => isOfUser(row, userId));
  const finished = own.filter(({ disabledBy }) => disabledBy === "finished");
  const had = own.length - finished.length;
  if (had + wanted > max) {
    throw new ConflictError(
      `schedule: a user may have ${max} at a time (there are ${had} of yours); delete one first`,
    );
  }
  return finished
    .toSorted((a, b) => b.updatedAt - a.updatedAt || Number(b.id) - Number(a.id))
    .slice(max);
}
