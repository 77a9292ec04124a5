/** Options of a schedule. */

import type { Duration } from "../runtime/duration.ts";

/** When a schedule runs: once, by cron, or at an interval. */
export type ScheduleTimes =
  | {
    readonly type: "once";
    readonly config: {
      readonly at: Date;
      /** Allows `at` in the past: the next tick runs it. */
      readonly allowPast?: boolean;
    };
  }
  | {
    readonly type: "cron";
    /** Five fields, or a nickname such as @daily. */
    readonly config: { readonly cron: string };
  }
  | {
    readonly type: "interval";
    /** 1 s or more. */
    readonly config: { readonly interval: Duration };
  };

/** How missed occurrences are made up: by one run, by one run each, or not at all. */
export type CatchUp = "latest" | "all" | "none";

/** Whether a run may begin while the message of the run before waits or runs. */
export type Overlap = "allow" | "skip";

/** How occurrences are treated while the queue of their messages is paused. */
export type WhilePaused = "enqueue" | "skip";

/** Options of every schedule. */
export interface ScheduleSettings {
  /** IANA zone of the wall clock of a cron schedule; default: UTC. */
  readonly timezone?: string;
  /** Number of runs after which the schedule is finished. */
  readonly maxRuns?: number;
  /** No occurrence is before this moment; an interval is counted from it. */
  readonly startAt?: Date;
  /** No occurrence is after this moment; one may be at it. */
  readonly endAt?: Date;
  /** Default: `latest`. */
  readonly catchUp?: CatchUp;
  /** With catchUp `all`: the most missed runs that are made up, the latest ones; default: 1,000. */
  readonly catchUpLimit?: number;
  /** Default: `allow`. */
  readonly overlap?: Overlap;
  /**
   * `enqueue` (default): messages wait in the queue, and are all handled after it is resumed. `skip`: no
   * runs while it is paused.
   */
  readonly whilePaused?: WhilePaused;
  /** Longest random delay of each message; the occurrence stays the planned time. */
  readonly jitter?: Duration;
  /** If a schedule has this name, it is changed and no new one is made. At most 200 characters. */
  readonly name?: string;
  /** Queue of the messages; default of this and the next three options: the definition's. */
  readonly queue?: string;
  readonly priority?: number;
  readonly groupKey?: string;
  /** Time to live of a message, from its run. */
  readonly ttl?: Duration;
}

/** Times and settings of a schedule. */
export type ScheduleOptions = ScheduleTimes & ScheduleSettings;

/** Changes of a schedule: null removes an option. `config` without `type` keeps the type. */
export type ScheduleChanges =
  & { readonly [Name in keyof ScheduleSettings]?: ScheduleSettings[Name] | null }
  & { readonly payload?: unknown }
  & (
    | ScheduleTimes
    | { readonly type?: undefined; readonly config?: ScheduleTimes["config"] }
  );
