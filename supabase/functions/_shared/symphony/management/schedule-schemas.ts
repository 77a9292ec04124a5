/** Schemas of the endpoints of schedules. */

import { z } from "@hono/zod-openapi";
import { changedConfig, changedSettings, scheduleBody } from "../http/schedule-body.ts";
import {
  cursor,
  exactMoment,
  id,
  limit,
  moment,
  queryFlag,
  queryNumber,
  queueName,
  text,
  time,
  typeName,
} from "./query-fields.ts";

const stored = {
  id,
  name: z.string().nullable(),
  type: z.enum(["once", "cron", "interval"]),
  config: z.record(z.string(), z.unknown()).openapi({
    description: "`at`, `cron`, or `interval` in ms",
  }),
  timezone: z.string(),
  nextRunAt: time.nullable(),
  lastRunAt: time.nullable(),
  runCount: z.int(),
  maxRuns: z.int().nullable(),
  startAt: time.nullable(),
  endAt: time.nullable(),
  catchUp: z.enum(["latest", "all", "none"]),
  catchUpLimit: z.int().nullable().openapi({ description: "Null: 1,000" }),
  overlap: z.enum(["allow", "skip"]),
  whilePaused: z.enum(["enqueue", "skip"]),
  jitter: z.number().openapi({ description: "ms" }),
  queue: z.string().nullable(),
  priority: z.int().nullable(),
  groupKey: z.string().nullable(),
  ttl: z.number().nullable().openapi({ description: "ms" }),
  enabled: z.boolean(),
  disabledBy: z.enum(["pause", "finished", "invalid", "undeclared"]).nullable(),
  disabledReason: z.string().nullable(),
  failingSince: time.nullable().openapi({
    description: "When the problems with its messages began; see docs/schedules.md",
  }),
  declared: z.boolean().openapi({ description: "Declared in code" }),
  createdAt: time,
  updatedAt: time,
};

/** A schedule in full. */
export const schedule = z.object({
  ...stored,
  message: z.object({ type: z.string(), payload: z.unknown() }),
}).openapi("Schedule");

/** One run of a schedule. */
export const scheduleRun = z.object({
  occurrence: time,
  run: z.int().nullable(),
  triggered: z.boolean(),
  messageId: id.nullable(),
  outcome: z.enum(["enqueued", "handled", "failed", "skipped"]),
  reason: z.string().nullable(),
  enqueuedAt: time.nullable(),
  finishedAt: time.nullable(),
}).openapi("ScheduleRun");

/** A schedule in a list. */
export const scheduleSummary = z.object({
  ...stored,
  message: z.object({ type: z.string() }),
  runs: z.array(scheduleRun).optional().openapi({
    description: "The latest runs, the newest first, if the request asks for some",
  }),
}).openapi("ScheduleSummary");

/** Planned times of one schedule. */
export const plannedTimes = z.object({
  timezone: z.string(),
  occurrences: z.array(time),
  local: z.array(z.string()).openapi({
    description: "The same times on the wall clock of the zone, with its offset",
    example: ["2026-11-27T09:00:00+09:00"],
  }),
}).openapi("PlannedTimes");

/** A schedule that is not saved. */
export const schedulePreview = z.strictObject({
  schedule: scheduleBody,
  n: z.int().min(1).max(100).default(5).openapi({ description: "Largest number of times" }),
});

/** Which planned times to list. */
export const upcomingQuery = z.strictObject({
  from: moment.optional().openapi({ description: "Default: now" }),
  until: moment.optional().openapi({
    description: "Not included; at most 32 days after `from`. Default: a day after it",
  }),
  n: queryNumber(1, 200, 50).openapi({ description: "Largest number of times of each schedule" }),
  limit,
  cursor: cursor(z.tuple([z.union([exactMoment, z.enum(["-infinity", "infinity"])]), id])),
});

/** A schedule with its planned times. */
export const upcomingSchedule = z.object({
  id,
  name: z.string().nullable(),
  type: stored.type,
  config: stored.config,
  timezone: z.string(),
  message: z.object({ type: z.string() }),
  occurrences: z.array(time).openapi({ description: "The first of them, at most `n`" }),
  count: z.int().openapi({ description: "Number of planned times within the time" }),
  problem: z.string().nullable().openapi({ description: "Why the schedule cannot be read" }),
}).openapi("UpcomingRuns");

/** Filter of a list of schedules. */
export const scheduleQuery = z.strictObject({
  type: typeName.optional().openapi({ description: "Type of the messages" }),
  name: text(200).optional(),
  enabled: queryFlag.optional(),
  runs: queryNumber(0, 20, 0).openapi({
    description: "How many of its latest runs each schedule has",
  }),
  limit,
  cursor: cursor(id),
});

/** A new schedule, or changes of the one with its name, in the form that `dispatch` takes. */
export const newSchedule = z.strictObject({
  type: typeName,
  payload: z.unknown().optional(),
  queue: queueName.optional(),
  priority: z.number().optional(),
  groupKey: text(255).optional(),
  schedule: scheduleBody,
}).refine((body) => body.payload !== undefined, { path: ["payload"], message: "is required" });

/** Changes of a schedule. */
export const scheduleChanges = z.strictObject({
  payload: z.unknown().optional(),
  type: z.enum(["once", "cron", "interval"]).optional(),
  config: changedConfig.optional().openapi({ description: "Without `type` the type stays" }),
  ...changedSettings,
  queue: queueName.nullish(),
  priority: z.number().nullish(),
  groupKey: text(255).nullish(),
}).refine((body) => body.type === undefined || body.config !== undefined, {
  path: ["config"],
  message: "is required with a type",
}).openapi({ description: "Changes the given options; null removes one" });
