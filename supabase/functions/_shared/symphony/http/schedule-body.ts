/** Field `schedule` of a request to `dispatch`. */

import { z } from "zod";
import { ConflictError } from "../message/errors.ts";
import type { ScheduleOptions } from "../scheduler/schedule-options.ts";
import { durationField, momentField } from "./field-schemas.ts";
import { invalidRequest, toProblem } from "./problem.ts";

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

/** When a message is to be dispatched; queue, priority and groupKey stand beside it, as ever. */
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
], "type has to be one of once, cron, interval");

/** The options of a schedule, as the scheduler takes them. */
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

// Fields beside `schedule` in the body. Other fields of the scheduler are inside it.
const BESIDE = new Set(["type", "payload", "queue", "priority", "groupKey"]);

/** Returns the answer to an error of the scheduler. */
export function toScheduleProblem(error: unknown): Error {
  if (error instanceof ConflictError) return toProblem(error);
  const [, field, message] = error instanceof RangeError
    ? /^([\w.]+): (.*)$/s.exec(error.message) ?? []
    : [];
  if (field === undefined || message === undefined || BESIDE.has(field)) return toProblem(error);
  return invalidRequest("invalid_request", [{ path: ["schedule", ...field.split(".")], message }]);
}
