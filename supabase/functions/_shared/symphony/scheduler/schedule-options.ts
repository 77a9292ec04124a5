/** What a schedule is made with. */

import type { Duration } from "../runtime/duration.ts";

/** When a schedule runs: once, by cron, or at an interval. */
export type ScheduleTimes =
  | {
    readonly type: "once";
    readonly config: {
      readonly at: Date;
      /** Lets `at` be in the past: it runs with the next tick. */
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

/** What becomes of occurrences that were missed: one run, each of them, or none. */
export type CatchUp = "latest" | "all" | "none";

/** Whether a run may begin while the message of the run before waits or runs. */
export type Overlap = "allow" | "skip";

/** What becomes of occurrences while the queue of their messages is paused. */
export type WhilePaused = "enqueue" | "skip";

/** Options of every schedule. */
export interface ScheduleSettings {
  /** IANA zone on whose wall clock a cron schedule runs; UTC where absent. */
  readonly timezone?: string;
  /** After so many runs the schedule is finished. */
  readonly maxRuns?: number;
  /** No occurrence lies before it; an interval is counted from it. */
  readonly startAt?: Date;
  /** No occurrence lies after it; one may lie on it. */
  readonly endAt?: Date;
  /** `latest` where absent. */
  readonly catchUp?: CatchUp;
  /** With catchUp `all`, at most so many missed runs are made up, the latest; 1,000 where absent. */
  readonly catchUpLimit?: number;
  /** `allow` where absent. */
  readonly overlap?: Overlap;
  /**
   * `enqueue`: messages wait for the queue, and come all together when it is resumed. `skip`: no run while
   * it is paused. `enqueue` where absent.
   */
  readonly whilePaused?: WhilePaused;
  /** Each message waits a random time of up to so long; the occurrence stays the planned time. */
  readonly jitter?: Duration;
  /** A schedule of this name is changed instead of a new one made. At most 200 characters. */
  readonly name?: string;
  /** Of the messages; the definition's where absent, as the next three. */
  readonly queue?: string;
  readonly priority?: number;
  readonly groupKey?: string;
  /** How long after its run a message matters. */
  readonly ttl?: Duration;
}

/** What a schedule is made with. */
export type ScheduleOptions = ScheduleTimes & ScheduleSettings;

/** Changes of a schedule: null takes an option away. `config` alone keeps the type. */
export type ScheduleChanges =
  & { readonly [Name in keyof ScheduleSettings]?: ScheduleSettings[Name] | null }
  & { readonly payload?: unknown }
  & (
    | ScheduleTimes
    | { readonly type?: undefined; readonly config?: ScheduleTimes["config"] }
  );
