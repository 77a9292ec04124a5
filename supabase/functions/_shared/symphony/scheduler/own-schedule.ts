/**
 * A schedule as the user who made it sees it. The function `dispatch` sends it, and clients receive it; neither
 * needs types of the other.
 */

import type { CatchUp, Overlap, WhilePaused } from "./schedule-options.ts";

/** Why a schedule is disabled: a pause; no run is left; the row cannot be read; or the code no longer declares it. */
export type DisabledBy = "pause" | "finished" | "invalid" | "undeclared";

/** A schedule as its user sees it. Moments are in ISO 8601. */
export interface OwnSchedule {
  /** Tells it from a message, whose ids are numbers too. */
  readonly kind: "schedule";
  readonly id: string;
  readonly message: { readonly type: string; readonly payload: unknown };
  readonly type: "once" | "cron" | "interval";
  /** `{ at }`, `{ cron }`, or `{ interval }` in milliseconds. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly timezone: string;
  /** Null if there are no more runs, or if the next tick has yet to plan one. */
  readonly nextRunAt: string | null;
  readonly lastRunAt: string | null;
  readonly runCount: number;
  readonly maxRuns: number | null;
  readonly startAt: string | null;
  readonly endAt: string | null;
  readonly catchUp: CatchUp;
  readonly overlap: Overlap;
  readonly whilePaused: WhilePaused;
  readonly enabled: boolean;
  /** Why the schedule is disabled; null if it is enabled. */
  readonly disabledBy: DisabledBy | null;
  readonly createdAt: string;
}

/** A page of a user's schedules: answer of `GET /dispatch/schedules`. */
export interface OwnSchedules {
  readonly schedules: readonly OwnSchedule[];
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
}
