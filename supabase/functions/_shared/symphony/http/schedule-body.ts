/** The field `schedule` of a request to `dispatch`. */

import { z } from "zod";
import { ConflictError } from "../message/errors.ts";
import type { ScheduleOptions } from "../scheduler/schedule-options.ts";
import { durationField, momentField } from "./field-schemas.ts";
import { invalidRequest, namedField, toProblem } from "./problem.ts";

const settings = {
  timezone: z.string().optional(),
  maxRuns: z.number().optional(),
  startAt: momentField.optional(),
  endAt: momentField.optional(),
  catchUp: z.enum(["latest", "all", "none"]).optional(),
  catchUpLimit: z.number().optional(),
  overlap: z.enum(["allow", "skip"]).optional(),
  whilePaused: z.enum(["enqueue", "skip"]).optional(),
  jitter: durationField.optional(),
  name: z.string().optional(),
  ttl: durationField.optional(),
};

/** The schema of a schedule. The fields queue, priority and groupKey stand beside the schedule, in the message. */
export const scheduleBody = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("once"),
    config: z.strictObject({ at: momentField, allowPast: z.boolean().optional() }),
    ...settings,
  }),
  z.strictObject({
    type: z.literal("cron"),
    config: z.strictObject({ cron: z.string() }),
    ...settings,
  }),
  z.strictObject({
    type: z.literal("interval"),
    config: z.strictObject({ interval: durationField }),
    ...settings,
  }),
], "has to be one of once, cron, interval");

/** The times of a schedule that is changed. Without a type the type stays. */
export const changedConfig = z.union([
  z.strictObject({ at: momentField, allowPast: z.boolean().optional() }),
  z.strictObject({ cron: z.string() }),
  z.strictObject({ interval: durationField }),
], "has to be one of { at }, { cron }, { interval }");

/** The settings that a change may name; null removes one. */
export const changedSettings = {
  timezone: z.string().nullish(),
  maxRuns: z.number().nullish(),
  startAt: momentField.nullish(),
  endAt: momentField.nullish(),
  catchUp: z.enum(["latest", "all", "none"]).nullish(),
  catchUpLimit: z.number().nullish(),
  overlap: z.enum(["allow", "skip"]).nullish(),
  whilePaused: z.enum(["enqueue", "skip"]).nullish(),
  jitter: durationField.nullish(),
  name: z.string().nullish(),
  ttl: durationField.nullish(),
};

/** Converts a request's schedule, and the message around it, to the scheduler's options. */
export function toScheduleOptions(
  schedule: z.output<typeof scheduleBody>,
  message: { readonly queue?: unknown; readonly priority?: unknown; readonly groupKey?: unknown },
): ScheduleOptions {
  const { queue, priority, groupKey } = message;
  return withoutUndefined({
    ...schedule,
    config: withoutUndefined(schedule.config),
    queue,
    priority,
    groupKey,
  }) as ScheduleOptions;
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

// Fields that stand beside `schedule` in the body. All other options of the scheduler stand inside it.
const BESIDE = new Set(["type", "payload", "queue", "priority", "groupKey"]);

/** Converts an error of the scheduler to a Problem whose path leads to the field in the body. */
export function toScheduleProblem(error: unknown): Error {
  if (error instanceof ConflictError) return toProblem(error);
  const named = namedField(error);
  if (named === undefined || BESIDE.has(named.field)) return toProblem(error);
  const path = ["schedule", ...named.field.split(".")];
  return invalidRequest("invalid_request", [{ path, message: named.message }]);
}
