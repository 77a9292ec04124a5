/** A stored schedule, and the record of its runs. */

import type { Stamps } from "../message/envelope.ts";
import type { ScheduleDefinition } from "./check-schedule.ts";
import type { DisabledBy } from "./own-schedule.ts";
import type {
  CatchUp,
  Overlap,
  ScheduleChanges,
  ScheduleOptions,
  ScheduleTimes,
  WhilePaused,
} from "./schedule-options.ts";
import type { Timing } from "./timing.ts";

/** The messages of a schedule. */
export interface ScheduledMessage {
  /** Name of the message definition. */
  readonly type: string;
  readonly payload: unknown;
}

/** A schedule with its state. Durations are in ms. */
export type Schedule = ScheduleTimes & {
  readonly id: string;
  readonly name: string | null;
  readonly message: ScheduledMessage;
  readonly timezone: string;
  /** Planned time of the next run; null if the next tick plans it, or if the schedule is finished. */
  readonly nextRunAt: Date | null;
  /** Planned time of the latest run, without triggered runs. */
  readonly lastRunAt: Date | null;
  /** Number of dispatched messages, without triggered runs that do not count. */
  readonly runCount: number;
  readonly maxRuns: number | null;
  readonly startAt: Date | null;
  readonly endAt: Date | null;
  readonly catchUp: CatchUp;
  /** Null: the default, 1,000. */
  readonly catchUpLimit: number | null;
  readonly overlap: Overlap;
  readonly whilePaused: WhilePaused;
  readonly jitter: number;
  readonly queue: string | null;
  readonly priority: number | null;
  readonly groupKey: string | null;
  readonly ttl: number | null;
  readonly enabled: boolean;
  readonly disabledBy: DisabledBy | null;
  readonly disabledReason: string | null;
  /**
   * When the problems with its messages began: their type is unknown, their payload does not fit, or
   * middleware fails. After ten minutes of unknown types or unfit payloads the schedule is disabled.
   */
  readonly failingSince: Date | null;
  /** Whether it is declared in code. */
  readonly declared: boolean;
  readonly createdAt: Date;
  /** When its definition was last changed, or it was last enabled or disabled. */
  readonly updatedAt: Date;
};

/** One run of a schedule. */
export interface ScheduleRun {
  /** Planned time; for a triggered run, the time of the request. */
  readonly occurrence: Date;
  /** Number of the run; 0 for a triggered run that does not count; null for a skipped run. */
  readonly run: number | null;
  /** Whether it was triggered by an operator. */
  readonly triggered: boolean;
  readonly messageId: string | null;
  readonly outcome: "enqueued" | "handled" | "failed" | "skipped";
  /** Why it was skipped, or why its message became a dead letter. */
  readonly reason: string | null;
  readonly enqueuedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** A schedule to save. */
export interface ScheduleDraft {
  readonly definition: ScheduleDefinition;
  readonly message: ScheduledMessage;
  readonly stamps?: Stamps;
  /**
   * Its first run in ms since 1970; null leaves it to the next tick. `finished`: why it is saved as
   * finished. `refused`: why it is refused, unless the same schedule is stored already.
   */
  readonly first: number | { readonly finished: string } | { readonly refused: string } | null;
}

/** Changes of a schedule, checked together with its unchanged options. */
export interface ScheduleChange {
  readonly id: string;
  /** The whole schedule after the change, if nothing else changes it at the same time. */
  readonly draft: ScheduleDraft;
  /** Names of the changed options; nothing else is written. */
  readonly changed: readonly (keyof ScheduleChanges)[];
}

/** A schedule in a list, without its payload. */
export type ListedSchedule =
  & ScheduleTimes
  & Omit<Schedule, keyof ScheduleTimes | "message">
  & { readonly message: Pick<ScheduledMessage, "type"> };

/** A due schedule with the stamps of its messages. */
export type DueSchedule = Schedule & {
  /** Facts that travel with each message beside its payload. */
  readonly stamps: Stamps;
};

/** The options that would make this schedule. */
export function optionsOf(schedule: ListedSchedule): ScheduleOptions {
  const { name, timezone, maxRuns, startAt, endAt, catchUp, overlap, jitter } = schedule;
  const { whilePaused, catchUpLimit, queue, priority, groupKey, ttl } = schedule;
  const times: ScheduleTimes = schedule.type === "once"
    ? { type: "once", config: schedule.config }
    : schedule.type === "cron"
    ? { type: "cron", config: schedule.config }
    : { type: "interval", config: schedule.config };
  return {
    ...times,
    timezone,
    catchUp,
    overlap,
    whilePaused,
    jitter,
    ...(catchUpLimit !== null && { catchUpLimit }),
    ...(name !== null && { name }),
    ...(maxRuns !== null && { maxRuns }),
    ...(startAt !== null && { startAt }),
    ...(endAt !== null && { endAt }),
    ...(queue !== null && { queue }),
    ...(priority !== null && { priority }),
    ...(groupKey !== null && { groupKey }),
    ...(ttl !== null && { ttl }),
  };
}

/** @param anchor start of an interval's count, in ms since 1970 */
export function timingOf(definition: ScheduleDefinition, anchor: number): Timing {
  const { times, timezone, startAt, endAt } = definition;
  const bounds = { from: startAt ?? -Infinity, until: endAt ?? Infinity };
  switch (times.type) {
    case "once":
      return { ...bounds, ...times };
    case "cron":
      return { ...bounds, ...times, timezone };
    case "interval":
      return { ...bounds, ...times, anchor };
  }
}
