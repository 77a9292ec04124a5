/** How the bus is: health, stats, metrics, the action log. */

import { z } from "@hono/zod-openapi";
import { parseDuration } from "../runtime/duration.ts";
import { durationField } from "../http/field-schemas.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { cursor, id, limit, next, toCursor } from "./query-fields.ts";
import { type HealthFacts, judgeHealth } from "./health.ts";
import { toMetrics } from "./metrics.ts";
import { ask, type ManagementParts } from "./parts.ts";
import { action, health, type Stats, stats, tick } from "./stats-schemas.ts";

const tag = "status";

const healthQuery = z.strictObject({
  maxTickAge: durationField.default("3m").openapi({
    type: "string",
    description: "How long ago the last tick may have begun",
  }),
  maxReadyAge: durationField.default("5m").openapi({
    type: "string",
    description: "How long a due message may have waited",
  }),
  maxScheduleAge: durationField.default("5m").openapi({
    type: "string",
    description: "How long a schedule's run may be overdue",
  }),
  maxDeadLetters: z.string().regex(/^\d{1,9}$/, "has to be a whole number").transform(Number)
    .optional().openapi({ type: "integer", description: "In the last hour; any number if absent" }),
});

/** Adds the endpoints that say how the bus is. */
export function addStatus(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/health",
    operationId: "getHealth",
    tag,
    summary: "Whether the bus is alive, for an uptime monitor",
    query: healthQuery,
    answer: health,
    statuses: { 200: "Healthy", 503: "Not healthy, or the database did not answer" },
    statusOf: ({ status }) => status === "ok" ? 200 : 503,
  }, async ({ query }) =>
    judgeHealth(await ask<HealthFacts>(supabase, "messenger_health"), {
      maxTickAge: parseDuration(query.maxTickAge, "maxTickAge"),
      maxReadyAge: parseDuration(query.maxReadyAge, "maxReadyAge"),
      maxScheduleAge: parseDuration(query.maxScheduleAge, "maxScheduleAge"),
      maxDeadLetters: query.maxDeadLetters,
    }));

  addEndpoint(app, {
    method: "get",
    path: "/stats",
    operationId: "getStats",
    tag,
    summary: "The state of queues, dead letters, schedules and ticks",
    description: "Counts stop at 10,000 and are `capped` then.",
    answer: stats,
  }, () => ask<Stats>(supabase, "messenger_stats"));

  addEndpoint(app, {
    method: "get",
    path: "/metrics",
    operationId: "getMetrics",
    tag,
    summary: "The same in Prometheus's text format",
    answer: z.string(),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
  }, async () => toMetrics(await ask<Stats>(supabase, "messenger_stats")));

  addEndpoint(app, {
    method: "get",
    path: "/ticks",
    operationId: "listTicks",
    tag,
    summary: "The latest ticks: when each was asked for, began and ended, and what it did",
    query: z.strictObject({ limit, cursor: cursor(id) }),
    answer: z.object({ ticks: z.array(tick), next }),
  }, async ({ query: { limit, cursor: beforeId } }) => {
    const page = await ask<{ ticks: z.input<typeof tick>[]; next: string | null }>(
      supabase,
      "messenger_list_ticks",
      { beforeId, maxTicks: limit },
    );
    return { ticks: page.ticks, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path: "/actions",
    operationId: "listActions",
    tag,
    summary: "The action log: what operators changed, the latest first",
    query: z.strictObject({ limit, cursor: cursor(id) }),
    answer: z.object({ actions: z.array(action), next }),
  }, async ({ query: { limit, cursor: beforeId } }) => {
    const page = await ask<{ actions: z.input<typeof action>[]; next: string | null }>(
      supabase,
      "messenger_list_actions",
      { beforeId, maxActions: limit },
    );
    return { actions: page.actions, next: toCursor(page.next) };
  });
}
