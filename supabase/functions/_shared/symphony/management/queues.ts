/** Queues: list with their depth, create, pause, resume, settings, delete. */

import { z } from "@hono/zod-openapi";
import type { SupabaseClient } from "@supabase/supabase-js";
import { actingAs } from "../database/acting.ts";
import {
  createQueue,
  deleteQueue,
  listLanes,
  listQueues,
  type QueueChanges,
  setQueue,
  showQueue,
} from "../database/queue-settings.ts";
import type { Operator } from "../http/operator.ts";
import { NotFoundError } from "../message/errors.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { count, cursor, limit, next, queueName, time, toCursor } from "./query-fields.ts";
import type { ManagementParts } from "./parts.ts";

const tag = "queues";
const path = "/queues/{name}";
const params = z.object({ name: queueName });
const LARGEST_INTEGER = 2_147_483_647;
const DAY_MS = 86_400_000;

/** Settings of a queue. A setting that may be null has no limit then. */
const settings = {
  paused: z.boolean().openapi({ description: "It accepts messages, but none is claimed" }),
  maxWorkers: z.int().min(1).max(100).openapi({
    description: "Largest number of ticks that work on its backlog at once",
  }),
  concurrency: z.int().min(1).max(LARGEST_INTEGER).nullable().openapi({
    description: "Largest number of its messages that run at once",
  }),
  groupConcurrency: z.int().min(1).max(1000).openapi({
    description: "Largest number of messages of one group that run at once",
  }),
  rateLimit: z.int().min(1).max(LARGEST_INTEGER).nullable().openapi({
    description: "Largest number of messages that start within ratePeriodMs",
  }),
  ratePeriodMs: z.int().min(1000).max(DAY_MS),
  weight: z.int().min(1).max(1000).openapi({ description: "Its share of each claim" }),
  leaseMs: z.int().min(100).max(DAY_MS).nullable().openapi({
    description: "Length of its leases; null: the worker's choice",
  }),
  runsOn: z.enum(["tick", "worker"]).openapi({
    description:
      "Where its messages run: in ticks, and in workers that name it; or in workers only",
  }),
  laneConcurrency: z.int().min(1).max(LARGEST_INTEGER).nullable().openapi({
    description: "Largest number of messages of one lane that run at once",
  }),
  laneRateLimit: z.int().min(1).max(LARGEST_INTEGER).nullable().openapi({
    description: "Largest number of messages of one lane that start within laneRatePeriodMs",
  }),
  laneRatePeriodMs: z.int().min(1000).max(DAY_MS),
};

const settingsBody = z.strictObject(settings).partial();

/** A queue with its depth. */
export const queue = z.object({
  name: queueName,
  ...settings,
  createdAt: time,
  due: count,
  delayed: count,
  blocked: count.openapi({ description: "Waiting for an earlier message of their group" }),
  quarantined: count.openapi({
    description: "They were in a crash: each runs with no other beside it",
  }),
  processing: count,
  oldestReadyAt: time.nullable().openapi({ description: "When the oldest due message became due" }),
}).openapi("Queue");

/** Adds the endpoints of queues. */
export function addQueues(app: ManagementApp, { supabase }: ManagementParts): void {
  addReading(app, supabase);
  addLanes(app, supabase);
  addSettings(app, supabase);
  addCreation(app, supabase);
}

async function show(supabase: SupabaseClient, name: string) {
  const found = await showQueue(supabase, name);
  if (!found) throw new NotFoundError(`name: there is no queue ${name}`);
  return found;
}

async function set(
  supabase: SupabaseClient,
  { actor }: Operator,
  name: string,
  changes: QueueChanges,
) {
  await setQueue(actingAs(supabase, actor), name, changes);
  return await show(supabase, name);
}

function addReading(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "get",
    path: "/queues",
    operationId: "listQueues",
    tag,
    summary: "Lists queues by name, with their settings and depth",
    description: "Counts end at 10,000 and are then `capped`.",
    query: z.strictObject({ limit, cursor: cursor(queueName) }),
    answer: z.object({ queues: z.array(queue), next }),
  }, async ({ query: { limit, cursor: afterName } }) => {
    const page = await listQueues(supabase, { afterName, maxQueues: limit });
    return { queues: page.queues, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path,
    operationId: "getQueue",
    tag,
    summary: "Shows a queue",
    params,
    answer: queue,
  }, ({ params }) => show(supabase, params.name));
}

function addLanes(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "get",
    path: `${path}/lanes`,
    operationId: "listLanes",
    tag,
    summary: "Lists the lanes of a queue that hold messages, or for which something is set",
    description:
      "The settings are those that hold for each lane. Counts end at 10,000 and are then `capped`.",
    params,
    query: z.strictObject({ limit, cursor: cursor(queueName) }),
    answer: z.object({ queues: z.array(queue), next }),
  }, async ({ params, query: { limit, cursor: afterName } }) => {
    const page = await listLanes(supabase, { queue: params.name, afterName, maxLanes: limit });
    return { queues: page.queues, next: toCursor(page.next) };
  });
}

function addSettings(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "patch",
    path,
    operationId: "updateQueue",
    tag,
    summary: "Changes the given settings; null removes a limit",
    params,
    body: settingsBody,
    answer: queue,
  }, ({ params, body, operator }) => set(supabase, operator, params.name, body));

  for (const paused of [true, false]) {
    const verb = paused ? "pause" : "resume";
    addEndpoint(app, {
      method: "post",
      path: `${path}/${verb}`,
      operationId: `${verb}Queue`,
      tag,
      summary: paused
        ? "Stops claims from a queue, which still accepts messages"
        : "Lets workers claim from a queue again",
      params,
      answer: queue,
    }, ({ params, operator }) => set(supabase, operator, params.name, { paused }));
  }
}

function addCreation(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "post",
    path: "/queues",
    operationId: "createQueue",
    tag,
    summary: "Makes a queue before its first message",
    body: settingsBody.extend({ name: queueName }),
    answer: queue,
    statuses: { 201: "The queue" },
  }, async ({ body: { name, ...settings }, operator }) => {
    await createQueue(actingAs(supabase, operator.actor), name, settings);
    return await show(supabase, name);
  });

  addEndpoint(app, {
    method: "delete",
    path,
    operationId: "deleteQueue",
    tag,
    summary: "Deletes a queue that holds no messages, with its settings",
    params,
    answer: z.object({ removed: z.boolean() }),
  }, async ({ params, operator }) => {
    await deleteQueue(actingAs(supabase, operator.actor), params.name);
    return { removed: true };
  });
}
