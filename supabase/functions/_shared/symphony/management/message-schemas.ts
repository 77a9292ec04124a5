/** Schemas of the endpoints of messages and dead letters. */

import { z } from "@hono/zod-openapi";
import { DEAD_REASONS } from "../message/dead-reason.ts";
import { STEPS_BUDGET_MS } from "./parts.ts";
import {
  asksForSome,
  count,
  cursor,
  exactMoment,
  id,
  limit,
  moment,
  next,
  queueName,
  text,
  time,
  typeName,
  withRanges,
} from "./query-fields.ts";
import { relations } from "./relation-schemas.ts";

const step = z.object({
  handler: z.string(),
  name: z.string(),
  key: z.string(),
  nth: z.int().openapi({ description: "Which call of this name and key it is" }),
  kind: z.enum(["step", "sleep", "wait", "effect", "all"]),
  status: z.enum(["running", "done", "failed", "pending"]).openapi({
    description: "running: for a second or more. pending: it sleeps or waits",
  }),
  until: time.nullable().openapi({ description: "When a sleep or wait ends" }),
  createdAt: time.openapi({ description: "When it was stored; of one that runs, when it began" }),
  error: z.unknown().openapi({ description: "Why it failed for good; null if it did not" }),
  waitsFor: z.array(z.string()).nullable().openapi({
    description: "Keys of the events that it waits for",
  }),
  resultBytes: z.int(),
  result: z.unknown().optional().openapi({ description: "Left out above 2 kB" }),
}).openapi("DurableStep");

const content = {
  relations,
  payload: z.unknown(),
  stamps: z.unknown().openapi({ description: "Facts that travel with it beside its payload" }),
  errors: z.array(z.unknown()).openapi({ description: "Failed attempts, oldest first" }),
  steps: z.array(step).openapi({
    description:
      "Durable steps, sleeps and waits, in the order in which they were stored, and then the one that runs",
  }),
};

const user = z.string().nullable().openapi({ description: "Id of the user who dispatched it" });

const waiting = {
  id,
  type: z.string(),
  queue: z.string(),
  priority: z.int(),
  status: z.enum(["pending", "processing"]),
  availableAt: time,
  expiresAt: time.nullable(),
  retryCount: z.int(),
  attempts: z.int(),
  snoozes: z.int().openapi({ description: "How often its handlers have snoozed it" }),
  interruptions: z.int().openapi({
    description: "How often in a row its worker ended before its handlers did",
  }),
  createdAt: time,
  groupKey: z.string().nullable(),
  blocked: z.boolean().openapi({ description: "It waits for an earlier message of its group" }),
  dedupeKey: z.string().nullable(),
  quarantined: z.boolean().openapi({
    description: "It was in a crash: it runs with no other beside it",
  }),
  leasedUntil: time.nullable(),
  cancelled: z.boolean(),
  error: z.string().nullable().openapi({ description: "Text of the last error" }),
};

/** A message in a list. */
export const messageSummary = z.object({ ...waiting, user }).openapi("MessageSummary");

/** A message in full. */
export const message = z.object({ ...waiting, ...content }).openapi("Message");

const dead = {
  id,
  type: z.string(),
  queue: z.string(),
  priority: z.int(),
  status: z.literal("failed"),
  reason: z.enum(DEAD_REASONS),
  error: z.string().nullable(),
  retryCount: z.int(),
  attempts: z.int(),
  redriven: z.int().openapi({ description: "How often it was redriven before" }),
  groupKey: z.string().nullable(),
  createdAt: time,
  failedAt: time,
};

/** A dead letter in a list. */
export const failedSummary = z.object({ ...dead, user }).openapi("FailedMessageSummary");

/** A dead letter in full. */
export const failedMessage = z.object({ ...dead, ...content }).openapi("FailedMessage");

const origin = {
  type: typeName.optional(),
  queue: queueName.optional(),
  groupKey: text(255).optional(),
  user: text(255).optional().openapi({ description: "Id of the user who dispatched it" }),
  createdFrom: moment.optional().openapi({ description: "When it was dispatched" }),
  createdUntil: moment.optional().openapi({ description: "Not included" }),
  error: text(1000).optional().openapi({ description: "Part of the last error's text" }),
};

const failedFields = {
  ...origin,
  reason: z.enum(DEAD_REASONS).optional(),
  failedFrom: moment.optional(),
  failedUntil: moment.optional().openapi({ description: "Not included" }),
};

/** Filter of a list of messages. */
export const messageQuery = withRanges(z.strictObject({
  status: z.enum(["pending", "processing"]).optional(),
  ...origin,
  limit,
  cursor: cursor(id),
}));

/** Filter of a list of dead letters. */
export const failedQuery = withRanges(z.strictObject({
  ...failedFields,
  limit,
  cursor: cursor(z.tuple([exactMoment, id])),
}));

/** Dead letters of one type that ended for the same reason and with the same error. */
export const failedGroup = z.object({
  type: z.string(),
  reason: z.enum(DEAD_REASONS),
  error: z.string().nullable().openapi({
    description:
      "The first 500 characters of the last error's text, which the filter `error` takes",
  }),
  count: z.int(),
  firstFailedAt: time,
  lastFailedAt: time,
  lastId: id.openapi({ description: "The latest dispatched of them" }),
}).openapi("FailedMessageGroup");

const ids = z.array(id).min(1).max(1000).optional();
const dryRun = z.boolean().default(false).openapi({ description: "Only counts" });
const maxMessages = z.int().min(1).max(1_000_000_000).optional();
const all = z.boolean().optional().openapi({
  description: "All of them. Give either `all` or a filter",
});

/** Fields of every change of many messages, beside its filter. */
const steps = {
  all,
  maxMessages,
  dryRun,
  budgetMs: z.int().min(0).max(STEPS_BUDGET_MS).default(STEPS_BUDGET_MS).openapi({
    description: "Age of the request from which it begins no further step",
  }),
  cursor: cursor(z.strictObject({
    at: text(40),
    id: z.string().regex(/^-?\d{1,19}$/),
    matched: z.int().min(0),
    since: text(40),
  })).openapi({ description: "`next` of the request before, which had the same filter" }),
};

/** Answer to a change of many messages. */
export const changed = z.object({
  matched: z.int().openapi({ description: "Messages that match the filter" }),
  done: z.int().openapi({ description: "Number of changed messages; 0 in a dry run" }),
  running: z.int().openapi({
    description: "Running messages; a cancel stops them at their worker's next heartbeat",
  }),
  left: count.openapi({
    description: "Messages that still match, counted in the next 10,000 rows",
  }),
  missing: z.array(z.string()).openapi({ description: "Ids that do not exist" }),
  next: next.openapi({
    description: "Where to continue, as `cursor`; null when everything is done",
  }),
}).openapi("Changed");

/** Number of messages that come due each second. */
const perSecond = z.number().min(0.001).max(1_000_000).optional();

const FAILED_FILTER = ["ids", ...Object.keys(failedFields)];
const FILTER = ["ids", ...Object.keys(origin)];

const from = text(255).optional().openapi({
  description: "Makes durable steps again from the one of this name on, or all for `start`",
});

/** Filter and options of a redrive. */
export const redriveBody = asksForSome(
  z.strictObject({
    ids,
    ...failedFields,
    ...steps,
    perSecond,
    toQueue: queueName.optional(),
    from,
  }),
  FAILED_FILTER,
);

/** Filter of dead letters to remove. */
export const removeBody = asksForSome(
  z.strictObject({ ids, ...failedFields, ...steps }),
  FAILED_FILTER,
);

/** Options of a redrive of one dead letter. */
export const redriveOneBody = z.strictObject({
  payload: z.unknown().optional().openapi({ description: "Replaces its payload" }),
  toQueue: queueName.optional(),
  from,
  dryRun,
}).refine((body) => body.payload !== null, { path: ["payload"], message: "has to be given" });

/** Filter of messages to cancel, or to run now. */
export const messagesBody = asksForSome(
  z.strictObject({ ids, ...origin, ...steps }),
  FILTER,
);
