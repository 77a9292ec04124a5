/** Schemas of the endpoints that show the state of the bus. */

import { z } from "@hono/zod-openapi";
import { count, id, time } from "./query-fields.ts";
import { queue } from "./queues.ts";

const rate = z.object({
  seconds: z.int().openapi({
    description: "Length of the window, in seconds: ticks that ended in it count",
  }),
  ticks: z.int(),
  claimed: z.int(),
  handled: z.int(),
  retried: z.int(),
  failed: z.int(),
}).openapi("TickRate");

const times = z.object({
  p50: z.number().openapi({ description: "Half of the times are shorter" }),
  p99: z.number().openapi({ description: "99 % of the times are shorter" }),
}).openapi("Times");

/** Outcomes of messages within a time. */
export const messageRates = z.object({
  handled: z.int(),
  retried: z.int().openapi({ description: "Attempts that failed and are followed by a retry" }),
  failed: z.int().openapi({ description: "Messages that became dead letters" }),
  latencyMs: times.nullable().openapi({
    description: "From the moment a message is due to the start of its attempt; null without one",
  }),
  runMs: times.nullable().openapi({ description: "How long attempts ran; null without one" }),
});

/** The state of the bus. */
export const stats = z.object({
  now: time,
  queues: z.array(queue).openapi({
    description: "At most 200; queues that hold messages come first",
  }),
  leftOut: z.int().openapi({ description: "Number of queues that are not in `queues`" }),
  leftOutInUse: z.int().openapi({ description: "Number of these queues that hold messages" }),
  deadLetters: z.object({
    total: count,
    lastHour: count,
    groups: z.array(z.object({
      type: z.string(),
      reason: z.string(),
      count: z.int(),
      firstAt: time,
      lastAt: time,
    })).openapi({ description: "Of the latest 10,000, the largest 50" }),
  }),
  rates: z.array(messageRates.extend({ seconds: z.int() })).openapi({
    description: "Outcomes of messages in the last 5 minutes and the last hour",
  }),
  types: z.array(messageRates.extend({ type: z.string() })).openapi({
    description: "The 50 types of which most messages ran in the last hour",
  }),
  schedules: z.object({ enabled: z.int(), disabled: z.int() }),
  ticks: z.object({ lastAt: time.nullable(), awake: z.int(), rates: z.array(rate) }),
}).openapi("Stats");

/** Result of the health checks. */
export const health = z.object({
  status: z.enum(["ok", "failing"]),
  versions: z.object({
    library: z.string().openapi({ description: "Of this function" }),
    needs: z.string().openapi({ description: "The oldest schema that it works on" }),
    schema: z.string().openapi({ description: "Of the database" }),
  }),
  lastAnswer: z.object({
    at: time,
    status: z.int().nullable(),
    timedOut: z.boolean(),
    error: z.string().nullable(),
  }).nullable().openapi({ description: "How the function tick answered the database last" }),
  checks: z.array(z.object({
    name: z.string(),
    ok: z.boolean(),
    found: z.union([z.number(), z.boolean(), z.string()]).nullable(),
    limit: z.union([z.number(), z.boolean(), z.string()]).nullable(),
    advice: z.string().nullable().openapi({
      description: "Advice for the operator if it is not ok",
    }),
  })),
}).openapi("Health");

/** A tick. */
export const tick = z.object({
  id,
  askedAt: time,
  startedAt: time.nullable().openapi({ description: "null if its request has not arrived" }),
  heartbeatAt: time.nullable(),
  restedAt: time.nullable(),
  endedAt: time.nullable(),
  report: z.record(z.string(), z.unknown()).nullable().openapi({ description: "Its run report" }),
  worker: z.string().nullable().openapi({
    description: "Name of a resident worker; null: a tick of the function",
  }),
  queues: z.array(z.string()).nullable().openapi({
    description: "Queues that a resident worker claims from; null: a tick of the function",
  }),
}).openapi("Tick");

/** A line of the action log. */
export const action = z.object({
  id,
  at: time,
  actor: z.string().openapi({ description: "A user's id, or `secret key` and its name" }),
  action: z.string(),
  target: z.unknown().openapi({ description: "Arguments of the change, without payloads" }),
  affected: z.int(),
}).openapi("Action");
