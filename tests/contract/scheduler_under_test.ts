/** The subject of the suites of the scheduler's contract, and their common helpers. */

import type {
  Middleware,
  Scheduler,
  SchedulerOptions,
} from "../../supabase/functions/_shared/symphony/index.ts";
import type { QueueSettings } from "../../supabase/functions/_shared/symphony/testing.ts";
import type { TestClock } from "../support/clock.ts";

/** When each test begins. */
export const START = "2026-01-05T09:30:00Z";

/** A message that a schedule has made. */
export interface ScheduledMessage {
  readonly id: string;
  readonly type: string;
  readonly payload: unknown;
  readonly queue: string;
  readonly groupKey: string | null;
  /** The nominal time, ISO 8601. */
  readonly occurrence: string;
  readonly run: number;
  /** Id of the schedule. */
  readonly schedule: string;
}

/** A store without schedules, its clock, and a way to look at what schedulers make of it. */
export interface SchedulerUnderTest {
  readonly clock: TestClock;
  /** A scheduler of its own, as each tick has one. */
  scheduler(options?: Partial<SchedulerOptions>): Scheduler;
  /** A scheduler with middleware. */
  schedulerWith(...middleware: Middleware[]): Scheduler;
  /** Messages of schedules that wait or run, by occurrence. */
  made(): Promise<ScheduledMessage[]>;
  /** Claims what is due and settles it as handled. Returns the number of messages. */
  handleAll(): Promise<number>;
  /** Changes settings of a queue. */
  setQueue(name: string, settings: QueueSettings): Promise<void>;
  /** Lines that schedulers have logged. */
  readonly lines: { level: string; event: string; [field: string]: unknown }[];
}

/** Registers a test that begins without schedules, at {@link START}. */
export type SchedulerPromise = (
  sentence: string,
  test: (bench: SchedulerUnderTest) => Promise<void>,
) => void;

/** A message that the tests schedule. */
export const note = { type: "Note", payload: { text: "hello" } };
/** At the start of each hour. */
export const hourly = { type: "cron", config: { cron: "0 * * * *" } } as const;
/** At the start of each minute. */
export const minutely = { type: "cron", config: { cron: "* * * * *" } } as const;
