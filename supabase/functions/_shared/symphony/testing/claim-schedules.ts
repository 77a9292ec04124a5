/** Which schedules a claim gets. Pure. */

import type { ScheduleClaim, ScheduleClaimRequest } from "../scheduler/store.ts";
import type { StoredSchedule } from "./stored-schedule.ts";

/** Payloads that one claim hands out, in bytes; one schedule is given in any case. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The schedules of a claim, and the rest of its result. */
export interface LeasedSchedules extends Pick<ScheduleClaim, "more" | "now" | "nextAt"> {
  readonly leased: readonly StoredSchedule[];
}

/** Leases due schedules, as messenger_claim_schedules does. @param now in ms since 1970 */
export function claimSchedules(
  rows: readonly StoredSchedule[],
  request: ScheduleClaimRequest,
  now: number,
): LeasedSchedules {
  const { token, maxSchedules, leaseMs, until, repeated, payloads } = request;
  const enabled = rows.filter((row) => row.enabled).toSorted(inClaimOrder);
  const again = repeated ? enabled.filter(({ leaseToken }) => leaseToken === token) : [];
  const latest = Math.min(now, until ?? now);
  const locked = again.length > 0 ? again : firstAndLast(
    enabled.filter((row) => dueAt(row) <= latest && isFree(row, now)),
    maxSchedules,
  );
  const taken = payloads ? fitting(locked) : locked;
  const leased = taken.map((row) => ({ ...row, leaseToken: token, leasedUntil: now + leaseMs }));
  const others = enabled.filter((row) => !taken.includes(row));
  return { leased, more: taken.length < locked.length, now, nextAt: nextAt(others, now) };
}

/** When the next of these can be claimed; null: none will be. */
function nextAt(rows: readonly StoredSchedule[], now: number): number | null {
  const moments = rows.map((row) => {
    if (dueAt(row) > now) return dueAt(row);
    return isFree(row, now) ? now : row.leasedUntil ?? now;
  });
  return moments.length === 0 ? null : Math.min(...moments);
}

/** Schedules with many missed runs hold up no other: of too many, a quarter are those that fell due last. */
function firstAndLast(due: readonly StoredSchedule[], max: number): readonly StoredSchedule[] {
  if (due.length <= max) return due;
  const last = Math.floor(max / 4);
  return [...due.slice(0, max - last), ...due.slice(due.length - last)];
}

/** As many as fit into a claim; those that fell due last come first. */
function fitting(rows: readonly StoredSchedule[]): readonly StoredSchedule[] {
  let bytes = 0;
  const taken = rows.toReversed().filter(({ message }) => {
    const fits = bytes < MAX_BYTES;
    bytes += JSON.stringify(message.payload)?.length ?? 0;
    return fits;
  });
  return taken.toReversed();
}

function isFree({ leasedUntil }: StoredSchedule, now: number): boolean {
  return leasedUntil === null || leasedUntil <= now;
}

/** A schedule without a next run is due at once: its run has to be planned. */
function dueAt({ nextRunAt }: StoredSchedule): number {
  return nextRunAt ?? -Infinity;
}

function inClaimOrder(a: StoredSchedule, b: StoredSchedule): number {
  const [first, second] = [dueAt(a), dueAt(b)];
  return first === second ? Number(a.id) - Number(b.id) : first - second;
}
