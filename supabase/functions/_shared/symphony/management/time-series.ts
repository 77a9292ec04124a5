/** Time series: outcomes of messages, how long they waited and ran, and the backlog, in bins of a time. */

import { z } from "@hono/zod-openapi";
import { readBacklogs, readTimeSeries } from "../database/series-calls.ts";
import { durationField } from "../http/field-schemas.ts";
import { parseDuration } from "../runtime/duration.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";
import { moment, queueName, time, typeName } from "./query-fields.ts";
import { messageRates } from "./stats-schemas.ts";

const query = z.strictObject({
  from: moment.optional().openapi({
    format: "date-time",
    description: "Default: an hour before `until`. It is moved back to the begin of a bin",
  }),
  until: moment.optional().openapi({ format: "date-time", description: "Default: now" }),
  step: durationField.transform((value) => parseDuration(value, "step")).refine(
    (ms) => ms >= 60_000 && ms <= 86_400_000 && ms % 60_000 === 0,
    "has to be whole minutes, from 1m to 1d",
  ).optional().openapi({
    type: "string",
    description:
      "Length of a bin; default: such that there are at most 200. Whole hours if `from` lies more than a day back",
  }),
  queue: queueName.optional(),
  type: typeName.optional(),
});

const backlog = z.object({
  due: z.int(),
  delayed: z.int(),
  blocked: z.int().openapi({ description: "Behind their group" }),
  processing: z.int(),
  oldestReadySeconds: z.int().openapi({ description: "Wait of the oldest due message" }),
}).openapi("Backlog");

const answer = z.object({
  from: time,
  until: time,
  stepSeconds: z.int(),
  points: z.array(messageRates.extend({
    at: time.openapi({ description: "Begin of the bin" }),
    perSecond: z.object({ handled: z.number(), retried: z.number(), failed: z.number() }).openapi({
      description: "Of the last bin, by the time that has passed of it",
    }),
    backlog: backlog.nullable().openapi({
      description:
        "The largest numbers of its minutes; zeros where no queue held messages or pg_cron did not run. null where a type is given",
    }),
  })).openapi({ description: "Every bin, the oldest first; at most 1,500" }),
}).openapi("TimeSeries");

/** Names that a query separates by commas, which no name has in it. */
const queueNames = z.string().max(20_000).transform((names) => names.split(","))
  .pipe(z.array(queueName).min(1).max(200)).openapi({
    type: "string",
    description: "Up to 200 names, separated by commas",
    example: "default,mail",
  });

const backlogs = z.object({
  from: time,
  stepSeconds: z.int(),
  queues: z.array(z.object({
    name: z.string(),
    due: z.array(z.int()).openapi({ description: "The largest number of each bin" }),
  })),
}).openapi("Backlogs");

/** Adds the endpoints. */
export function addTimeSeries(app: ManagementApp, parts: ManagementParts): void {
  addSeries(app, parts);
  addEndpoint(app, {
    method: "get",
    path: "/backlogs",
    operationId: "listBacklogs",
    tag: "status",
    summary: "Due messages of several queues within the last hour, for a line beside each",
    query: z.strictObject({ queues: queueNames }),
    answer: backlogs,
  }, ({ query: { queues } }) => readBacklogs(parts.supabase, queues));
}

function addSeries(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/time-series",
    operationId: "getTimeSeries",
    tag: "status",
    summary: "Outcomes of messages, how long they waited and ran, and the backlog, over a time",
    description: "Minutes are kept for a day, hours for 30 days.",
    query,
    answer,
  }, async ({ query: { from, until, step, queue, type } }) => {
    const series = await readTimeSeries(supabase, {
      fromAt: from?.toISOString(),
      untilAt: until?.toISOString(),
      stepSeconds: step === undefined ? undefined : step / 1_000,
      queue,
      type,
    });
    const end = Date.parse(series.until);
    const points = series.points.map((point) => {
      const passed = (end - Date.parse(point.at)) / 1_000;
      const seconds = Math.max(1, Math.min(series.stepSeconds, passed));
      const { handled, retried, failed } = point;
      const perSecond = {
        handled: rounded(handled / seconds),
        retried: rounded(retried / seconds),
        failed: rounded(failed / seconds),
      };
      return { ...point, perSecond };
    });
    return { ...series, points };
  });
}

function rounded(rate: number): number {
  return Math.round(rate * 1_000) / 1_000;
}
