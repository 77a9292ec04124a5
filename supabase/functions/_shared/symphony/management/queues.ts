/** Queues: list with their depth, create, pause, resume, settings, delete. */

import { z } from "@hono/zod-openapi";
import { NotFoundError } from "../message/errors.ts";
import { actingAs } from "./acting.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { count, cursor, limit, next, queueName, time, toCursor } from "./query-fields.ts";
import { ask, type ManagementParts } from "./parts.ts";
import { toArguments } from "./listed-rows.ts";

const tag = "queues";
const path = "/queues/{name}";
const params = z.object({ name: queueName });
const LARGEST_INTEGER = 2_147_483_647;
const DAY_MS = 86_400_000;

/** Where a setting may be null, that is no limit. */
const settings = {
  paused: z.boolean().openapi({ description: "It accepts messages; none is claimed" }),
  maxWorkers: z.int().min(1).max(100).openapi({
    description: "So many ticks may drain its backlog side by side",
  }),
  concurrency: z.int().min(1).max(LARGEST_INTEGER).nullable().openapi({
    description: "At most so many of its messages run at once",
  }),
  groupConcurrency: z.int().min(1).max(1000).openapi({
    description: "So many messages of one group may run at once",
  }),
  rateLimit: z.int().min(1).max(LARGEST_INTEGER).nullable().openapi({
    description: "At most so many start in any ratePeriodMs",
  }),
  ratePeriodMs: z.int().min(1000).max(DAY_MS),
  weight: z.int().min(1).max(1000).openapi({ description: "Its share of each claim" }),
  leaseMs: z.int().min(100).max(DAY_MS).nullable().openapi({
    description: "How long its leases last; null: as the worker asks for",
  }),
};

const settingsBody = z.strictObject(settings).partial();

/** A queue with its depth. */
export const queue = z.object({
  name: queueName,
  ...settings,
  createdAt: time,
  due: count,
  delayed: count,
  blocked: count.openapi({ description: "Waiting behind their groups" }),
  quarantined: count.openapi({
    description: "Were in a crash, and run with no other message beside them",
  }),
  processing: count,
  oldestReadyAt: time.nullable().openapi({ description: "Since when the oldest due one waits" }),
}).openapi("Queue");

interface QueuePage {
  queues: z.input<typeof queue>[];
  next: string | null;
}

/** Adds the endpoints of queues. */
export function addQueues(app: ManagementApp, { supabase }: ManagementParts): void {
  const show = async (name: string) => {
    const { queues: [found] } = await ask<QueuePage>(supabase, "messenger_list_queues", { name });
    if (!found) throw new NotFoundError(`name: there is no queue ${name}`);
    return found;
  };
  const set = async (actor: string, name: string, changes: z.output<typeof settingsBody>) => {
    await ask(actingAs(supabase, actor), "messenger_set_queue", {
      name,
      settings: toArguments(changes),
    });
    return await show(name);
  };

  addEndpoint(app, {
    method: "get",
    path: "/queues",
    operationId: "listQueues",
    tag,
    summary: "Lists queues by name, with their settings and depth",
    description: "Counts stop at 10,000 and are `capped` then.",
    query: z.strictObject({ limit, cursor: cursor(queueName) }),
    answer: z.object({ queues: z.array(queue), next }),
  }, async ({ query: { limit, cursor: afterName } }) => {
    const page = await ask<QueuePage>(
      supabase,
      "messenger_list_queues",
      { afterName, maxQueues: limit },
    );
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
  }, ({ params }) => show(params.name));

  addEndpoint(app, {
    method: "patch",
    path,
    operationId: "updateQueue",
    tag,
    summary: "Changes those settings that are given; null takes a limit away",
    params,
    body: settingsBody,
    answer: queue,
  }, ({ params, body, operator }) => set(operator.actor, params.name, body));

  addEndpoint(app, {
    method: "post",
    path: "/queues",
    operationId: "createQueue",
    tag,
    summary: "Makes a queue before its first message comes",
    body: settingsBody.extend({ name: queueName }),
    answer: queue,
    statuses: { 201: "The queue" },
  }, async ({ body: { name, ...settings }, operator }) => {
    await ask(actingAs(supabase, operator.actor), "messenger_create_queue", {
      name,
      settings: toArguments(settings),
    });
    return await show(name);
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
    await ask(actingAs(supabase, operator.actor), "messenger_delete_queue", params);
    return { removed: true };
  });

  for (const paused of [true, false]) {
    const verb = paused ? "pause" : "resume";
    addEndpoint(app, {
      method: "post",
      path: `${path}/${verb}`,
      operationId: `${verb}Queue`,
      tag,
      summary: paused ? "Stops claims from a queue; it accepts messages" : "Lets a queue go on",
      params,
      answer: queue,
    }, ({ params, operator }) => set(operator.actor, params.name, { paused }));
  }
}
