/** The scheduler's public surface. */

export { getNextCronTime, validateCronExpression } from "./cron-parser.ts";
export { type DeclaredSchedule, defineSchedule } from "./declared.ts";
export type {
  CatchUp,
  Overlap,
  ScheduleChanges,
  ScheduleOptions,
  ScheduleSettings,
  ScheduleTimes,
  WhilePaused,
} from "./schedule-options.ts";
export { emptyReport, type SchedulesReport, type SchedulesRun } from "./processing.ts";
export { previewSchedule } from "./preview.ts";
export type {
  DisabledBy,
  ListedSchedule,
  Schedule,
  ScheduledMessage,
  ScheduleRun,
} from "./schedule.ts";
export { Scheduler, type SchedulerOptions } from "./scheduler.ts";
export type { SavedSchedule, ScheduleFilter, SchedulePage } from "../database/schedules.ts";
