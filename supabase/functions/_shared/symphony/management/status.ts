/** The state of the bus: health, stats, metrics, ticks, the action log. */

import { z } from "@hono/zod-openapi";
import type { SupabaseClient } from "@supabase/supabase-js";
import {
  listActions,
  listAliveTicks,
  listTicks,
  readHealth,
  readObjects,
  readStats,
} from "../database/bus-state.ts";
import { readTransports } from "../database/outbox-lists.ts";
import { readTotals } from "../database/series-calls.ts";
import { parseDuration } from "../runtime/duration.ts";
import { SCHEMA_VERSION, VERSION } from "../runtime/version.ts";
import { durationField } from "../http/field-schemas.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { cursor, id, limit, next, queryFlag, toCursor } from "./query-fields.ts";
import { judgeHealth } from "./health.ts";
import { toMetrics } from "./metrics.ts";
import type { ManagementParts } from "./parts.ts";
import { action, health, stats, tick } from "./stats-schemas.ts";
import type { TransportChecks } from "./transport-checks.ts";

const tag = "status";

const ticksQuery = z.strictObject({
  limit,
  cursor: cursor(id),
  alive: queryFlag.default(false).openapi({
    description: "Only those that have not ended and gave a sign of life within the last minute",
  }),
}).refine(({ alive, cursor }) => !alive || cursor === undefined, {
  path: ["cursor"],
  message: "goes with no alive=true; leave it out",
});

const healthQuery = z.strictObject({
  maxTickAge: durationField.default("3m").openapi({
    type: "string",
    description: "Largest age of the last tick",
  }),
  maxReadyAge: durationField.default("5m").openapi({
    type: "string",
    description: "Longest wait of a due message",
  }),
  maxScheduleAge: durationField.default("5m").openapi({
    type: "string",
    description: "Longest delay of a schedule's run",
  }),
  maxDeadLetters: z.string().regex(/^\d{1,9}$/, "has to be a whole number").transform(Number)
    .optional().openapi({
      type: "integer",
      description: "Largest number in the last hour; default: no limit",
    }),
});

/** Adds the endpoints that show the state of the bus. */
export function addStatus(
  app: ManagementApp,
  { supabase }: ManagementParts,
  transports: TransportChecks,
): void {
  addHealth(app, supabase, transports);
  addStats(app, supabase);
  addRecords(app, supabase);
  addObjects(app, supabase);
}

function addHealth(
  app: ManagementApp,
  supabase: SupabaseClient,
  transports: TransportChecks,
): void {
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
  }, async ({ query }) => {
    const [facts, others] = await Promise.all([readHealth(supabase), transports.judge()]);
    const versions = { library: VERSION, needs: SCHEMA_VERSION, schema: facts.version };
    const judged = judgeHealth(facts, {
      maxTickAge: parseDuration(query.maxTickAge, "maxTickAge"),
      maxReadyAge: parseDuration(query.maxReadyAge, "maxReadyAge"),
      maxScheduleAge: parseDuration(query.maxScheduleAge, "maxScheduleAge"),
      maxDeadLetters: query.maxDeadLetters,
      projectUrl: Deno.env.get("SUPABASE_URL"),
    }, others);
    return { ...judged, versions, lastAnswer: facts.installation.lastAnswer ?? null };
  });
}

function addStats(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "get",
    path: "/stats",
    operationId: "getStats",
    tag,
    summary: "The state of queues, dead letters, schedules and ticks",
    description: "Counts end at 10,000 and are then `capped`.",
    answer: stats,
  }, () => readStats(supabase));

  addEndpoint(app, {
    method: "get",
    path: "/metrics",
    operationId: "getMetrics",
    tag,
    summary: "The same in Prometheus's text format, with totals by type since the installation",
    answer: z.string(),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
  }, async () => {
    const [stats, totals, transports] = await Promise.all([
      readStats(supabase),
      readTotals(supabase),
      readTransports(supabase),
    ]);
    return toMetrics(stats, totals, transports);
  });
}

function addRecords(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "get",
    path: "/ticks",
    operationId: "listTicks",
    tag,
    summary: "The latest ticks: when each was requested, began and ended, and its report",
    description:
      "With `alive=true` the workers and ticks that give signs of life, workers first; " +
      "that list has one page, and takes no cursor.",
    query: ticksQuery,
    answer: z.object({ ticks: z.array(tick), next }),
  }, async ({ query: { limit, cursor: beforeId, alive } }) => {
    const page = alive
      ? await listAliveTicks(supabase, { maxTicks: limit })
      : await listTicks(supabase, { beforeId, maxTicks: limit });
    return { ticks: page.ticks, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path: "/actions",
    operationId: "listActions",
    tag,
    summary: "The action log: the operators' changes, the latest first",
    query: z.strictObject({ limit, cursor: cursor(id) }),
    answer: z.object({ actions: z.array(action), next }),
  }, async ({ query: { limit, cursor: beforeId } }) => {
    const page = await listActions(supabase, { beforeId, maxActions: limit });
    return { actions: page.actions, next: toCursor(page.next) };
  });
}

function addObjects(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "get",
    path: "/objects",
    operationId: "listObjects",
    tag,
    summary: "The objects of the bus in the database, for a comparison with the release's",
    answer: z.object({
      version: z.string(),
      routines: z.record(z.string(), z.array(z.string())).openapi({
        description: "MD5 of the bodies by name",
      }),
      relations: z.array(z.string()),
      triggers: z.array(z.string()).openapi({ description: "Those that are enabled" }),
      migrations: z.array(z.string()).nullable().openapi({
        description: "Stamps of the applied migrations; null if the database does not tell",
      }),
      references: z.array(
        z.object({ name: z.string(), table: z.string(), on: z.string(), definition: z.string() }),
      ).openapi({
        description:
          "Foreign keys of the project's own tables that keep rows of the bus from being deleted",
      }),
    }),
  }, () => readObjects(supabase));
}
