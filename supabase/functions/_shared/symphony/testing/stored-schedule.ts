/** A schedule as the store in memory keeps it: what its owner decides, and its state. Pure. */

import type { OutgoingMessage, Stamps } from "../message/envelope.ts";
import type { ScheduleDefinition } from "../scheduler/check-schedule.ts";
import type { DisabledBy } from "../scheduler/own-schedule.ts";
import type { ScheduleTimes } from "../scheduler/schedule-options.ts";
import type {
  DueSchedule,
  ListedSchedule,
  Schedule,
  ScheduledMessage,
} from "../scheduler/schedule.ts";

/** A schedule with its state; moments are in ms since 1970. A change makes a new object. */
export interface StoredSchedule {
  readonly id: string;
  readonly definition: ScheduleDefinition;
  readonly message: ScheduledMessage;
  readonly stamps: Stamps | undefined;
  readonly declared: boolean;
  /** Null: the next processing plans it, or the schedule is finished. */
  readonly nextRunAt: number | null;
  readonly lastRunAt: number | null;
  readonly runCount: number;
  readonly enabled: boolean;
  readonly disabledBy: DisabledBy | null;
  readonly disabledReason: string | null;
  readonly failingSince: number | null;
  readonly lastMessageId: string | null;
  readonly leaseToken: string | null;
  readonly leasedUntil: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A new schedule without runs. */
export function newSchedule(
  id: string,
  owned: Pick<StoredSchedule, "definition" | "message" | "stamps" | "declared">,
  now: number,
): StoredSchedule {
  return {
    ...owned,
    id,
    nextRunAt: null,
    lastRunAt: null,
    runCount: 0,
    enabled: true,
    disabledBy: null,
    disabledReason: null,
    failingSince: null,
    lastMessageId: null,
    leaseToken: null,
    leasedUntil: null,
    createdAt: now,
    updatedAt: now,
  };
}

/** The part of a schedule that its owner decides, to be compared. */
export function ownedPart({ definition, message, stamps }: StoredSchedule): string {
  return JSON.stringify([definition, message, stamps]);
}

/** The options that decide when a schedule runs, to be compared. */
export function timesPart({ times, timezone, startAt }: ScheduleDefinition): string {
  return JSON.stringify([times, timezone, startAt]);
}

/**
 * A schedule after a change. As in Postgres, a change of what its owner decides, or of `enabled`, takes
 * the lease from a tick that plans the next run, and a change of the times has that run planned again.
 */
export function changed(
  before: StoredSchedule,
  changes: Partial<StoredSchedule>,
  now: number,
): StoredSchedule {
  const given = { ...before, ...changes };
  if (ownedPart(before) === ownedPart(given) && before.enabled === given.enabled) return given;
  const after = {
    ...given,
    updatedAt: now,
    leaseToken: null,
    leasedUntil: null,
    failingSince: null,
  };
  const hasNewTimes = timesPart(before.definition) !== timesPart(after.definition);
  if (after.nextRunAt === before.nextRunAt && hasNewTimes) after.nextRunAt = null;
  if (!after.enabled) {
    return before.enabled ? { ...after, disabledBy: after.disabledBy ?? "pause" } : after;
  }
  // Runs that were planned during the pause are not made up; a single run is late rather than lost.
  const isPast = after.nextRunAt !== null && after.nextRunAt <= now;
  const isLeftOut = !before.enabled && after.definition.times.type !== "once" && isPast;
  return {
    ...after,
    disabledBy: null,
    disabledReason: null,
    ...(isLeftOut && { nextRunAt: null }),
  };
}

/** The changes of a schedule after its last run; none if it has runs left. */
export function endAtMaxRuns(
  { definition: { maxRuns } }: StoredSchedule,
  runCount: number,
): Partial<StoredSchedule> {
  if (maxRuns === null || runCount < maxRuns) return {};
  const disabledReason = `max_runs: it has run ${runCount} times`;
  return { nextRunAt: null, enabled: false, disabledBy: "finished", disabledReason };
}

/** The message of a run for which the scheduler has made none: what the schedule describes. */
export function describedMessage(
  { definition, message }: StoredSchedule,
  delayMs: number,
): OutgoingMessage {
  const { queue, priority, groupKey, ttlMs } = definition;
  return {
    ...message,
    delayMs,
    ...(queue !== null && { queue }),
    ...(priority !== null && { priority }),
    ...(groupKey !== null && { groupKey }),
    ...(ttlMs !== null && { ttlMs }),
  };
}

/** A schedule as the scheduler sees it. */
export function toSchedule(row: StoredSchedule): Schedule {
  const { definition } = row;
  const { name, timezone, maxRuns, catchUp, catchUpLimit, overlap, whilePaused } = definition;
  const { queue, priority, groupKey } = definition;
  return {
    ...toTimes(definition),
    id: row.id,
    name,
    message: structuredClone(row.message),
    timezone,
    nextRunAt: toDate(row.nextRunAt),
    lastRunAt: toDate(row.lastRunAt),
    runCount: row.runCount,
    maxRuns,
    startAt: toDate(definition.startAt),
    endAt: toDate(definition.endAt),
    catchUp,
    catchUpLimit,
    overlap,
    whilePaused,
    jitter: definition.jitterMs,
    queue,
    priority,
    groupKey,
    ttl: definition.ttlMs,
    enabled: row.enabled,
    disabledBy: row.disabledBy,
    disabledReason: row.disabledReason,
    failingSince: toDate(row.failingSince),
    declared: row.declared,
    createdAt: new Date(row.createdAt),
    updatedAt: new Date(row.updatedAt),
  };
}

/** A schedule with what its messages carry. @param withPayload whether payload and stamps are given */
export function toDueSchedule(row: StoredSchedule, withPayload: boolean): DueSchedule {
  const schedule = toSchedule(row);
  if (withPayload) return { ...schedule, stamps: structuredClone(row.stamps ?? {}) };
  return { ...schedule, message: { ...schedule.message, payload: undefined }, stamps: {} };
}

/** A schedule of a list, without its payload. */
export function toListedSchedule(row: StoredSchedule): ListedSchedule {
  const { message: { type }, ...schedule } = toSchedule(row);
  return { ...schedule, message: { type } };
}

function toTimes({ times }: ScheduleDefinition): ScheduleTimes {
  switch (times.type) {
    case "once":
      return { type: "once", config: { at: new Date(times.at) } };
    case "cron":
      return { type: "cron", config: { cron: times.cron } };
    case "interval":
      return { type: "interval", config: { interval: times.intervalMs } };
  }
}

function toDate(moment: number | null): Date | null {
  return moment === null ? null : new Date(moment);
}
