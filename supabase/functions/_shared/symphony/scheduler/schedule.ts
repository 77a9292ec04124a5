/** A schedule as it is stored, and the record of its runs. */

import type { Stamps } from "../message/envelope.ts";
import type { ScheduleDefinition } from "./check-schedule.ts";
import type {
  CatchUp,
  Overlap,
  ScheduleChanges,
  ScheduleOptions,
  ScheduleTimes,
  WhilePaused,
} from "./schedule-options.ts";
import type { Timing } from "./timing.ts";

/** What the messages of a schedule are. */
export interface ScheduledMessage {
  /** Name of the message definition. */
  readonly type: string;
  readonly payload: unknown;
}

/**
 * What disabled a schedule: somebody's pause; that no run is left; that the row cannot be read; or
 * that it is declared in code no more.
 */
export type DisabledBy = "pause" | "finished" | "invalid" | "undeclared";

/** A schedule with its state. Durations are in ms. */
export type Schedule = ScheduleTimes & {
  readonly id: string;
  readonly name: string | null;
  readonly message: ScheduledMessage;
  readonly timezone: string;
  /** Planned time of the next run; null: the next tick plans it, or the schedule is finished. */
  readonly nextRunAt: Date | null;
  /** Planned time of the latest run, those by hand left aside. */
  readonly lastRunAt: Date | null;
  /** Messages dispatched, without runs by hand that do not count. */
  readonly runCount: number;
  readonly maxRuns: number | null;
  readonly startAt: Date | null;
  readonly endAt: Date | null;
  readonly catchUp: CatchUp;
  /** Null: 1,000. */
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
   * Since when no right message could be made: its type is unknown, its payload does not fit, or
   * middleware fails. After ten minutes of the former it is disabled.
   */
  readonly failingSince: Date | null;
  /** Declared in code. */
  readonly declared: boolean;
  readonly createdAt: Date;
  /** When its definition was last changed, or it was enabled or disabled. */
  readonly updatedAt: Date;
};

/** One run of a schedule. */
export interface ScheduleRun {
  /** Planned time; of a run by hand, when it was asked for. */
  readonly occurrence: Date;
  /** Number of the run, 0 for one by hand that does not count; null where it was skipped. */
  readonly run: number | null;
  /** Whether it was run by hand. */
  readonly triggered: boolean;
  readonly messageId: string | null;
  readonly outcome: "enqueued" | "handled" | "failed" | "skipped";
  /** Why it was skipped, or why its message was given up. */
  readonly reason: string | null;
  readonly enqueuedAt: Date | null;
  readonly finishedAt: Date | null;
}

/** A schedule to be saved. */
export interface ScheduleDraft {
  readonly definition: ScheduleDefinition;
  readonly message: ScheduledMessage;
  readonly stamps?: Stamps;
  /**
   * Its first run in ms since 1970; or why it is saved as finished; or, unless it is known as it is,
   * refused; null leaves it to the next tick.
   */
  readonly first: number | { readonly finished: string } | { readonly refused: string } | null;
}

/** Changes of a schedule, checked together with what they leave. */
export interface ScheduleChange {
  readonly id: string;
  /** The whole schedule, as it becomes where nothing else is changed at this moment. */
  readonly draft: ScheduleDraft;
  /** Names of the options that are changed: nothing else is written. */
  readonly changed: readonly (keyof ScheduleChanges)[];
}

/** A schedule in a list, without its payload. */
export type ListedSchedule =
  & ScheduleTimes
  & Omit<Schedule, keyof ScheduleTimes | "message">
  & { readonly message: Pick<ScheduledMessage, "type"> };

/** A schedule that is due, with what its messages carry. */
export type DueSchedule = Schedule & {
  /** What travels with each message besides its payload. */
  readonly stamps: Stamps;
};

/** The options that would make this schedule. */
export function optionsOf(schedule: Schedule): ScheduleOptions {
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

/** @param anchor what an interval is counted from, in ms since 1970 */
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
