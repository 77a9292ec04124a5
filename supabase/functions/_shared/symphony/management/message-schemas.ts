/** What the endpoints of messages and dead letters take and show. */

import { z } from "@hono/zod-openapi";
import {
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
} from "./query-fields.ts";

const REASONS = [
  "exhausted",
  "unrecoverable",
  "crashed",
  "invalid",
  "unknown_type",
  "expired",
  "cancelled",
  "interrupted",
] as const;

const content = {
  payload: z.unknown(),
  stamps: z.unknown().openapi({ description: "What travels with it besides its payload" }),
  errors: z.array(z.unknown()).openapi({ description: "Failed attempts, oldest first" }),
};

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
  snoozes: z.int().openapi({ description: "How often its handlers have asked for it later" }),
  interruptions: z.int().openapi({
    description: "How often in a row its worker ended before its handlers did",
  }),
  createdAt: time,
  groupKey: z.string().nullable(),
  blocked: z.boolean().openapi({ description: "It waits behind its group" }),
  dedupeKey: z.string().nullable(),
  quarantined: z.boolean().openapi({
    description: "It was in a crash and runs with no other beside it",
  }),
  leasedUntil: time.nullable(),
  cancelled: z.boolean(),
  error: z.string().nullable().openapi({ description: "Text of the last error" }),
};

/** A message in a list. */
export const messageSummary = z.object(waiting).openapi("MessageSummary");

/** A message in full. */
export const message = z.object({ ...waiting, ...content }).openapi("Message");

const dead = {
  id,
  type: z.string(),
  queue: z.string(),
  priority: z.int(),
  status: z.literal("failed"),
  reason: z.enum(REASONS),
  error: z.string().nullable(),
  retryCount: z.int(),
  attempts: z.int(),
  redriven: z.int().openapi({ description: "How often it was redriven before" }),
  groupKey: z.string().nullable(),
  createdAt: time,
  failedAt: time,
};

/** A dead letter in a list. */
export const failedSummary = z.object(dead).openapi("FailedMessageSummary");

/** A dead letter in full. */
export const failedMessage = z.object({ ...dead, ...content }).openapi("FailedMessage");

const failedFields = {
  type: typeName.optional(),
  queue: queueName.optional(),
  reason: z.enum(REASONS).optional(),
  error: text(1000).optional().openapi({ description: "Part of the last error's text" }),
  failedFrom: moment.optional(),
  failedUntil: moment.optional().openapi({ description: "Not included" }),
};

/** Which messages to list. */
export const messageQuery = z.strictObject({
  status: z.enum(["pending", "processing"]).optional(),
  type: typeName.optional(),
  queue: queueName.optional(),
  limit,
  cursor: cursor(id),
});

/** Which dead letters to list. */
export const failedQuery = z.strictObject({
  ...failedFields,
  limit,
  cursor: cursor(z.tuple([exactMoment, id])),
});

const ids = z.array(id).min(1).max(1000).optional();
const dryRun = z.boolean().default(false).openapi({ description: "Only counts" });
const maxMessages = z.int().min(1).max(1_000_000_000).optional();
const all = z.boolean().optional().openapi({
  description: "All of them; goes with no filter, and has to be said where there is none",
});

/** What every change of many messages takes besides its filter. */
const steps = {
  all,
  maxMessages,
  dryRun,
  cursor: cursor(z.strictObject({
    at: text(40),
    id: z.string().regex(/^-?\d{1,19}$/),
    matched: z.int().min(0),
    since: text(40),
  })).openapi({ description: "`next` of the request before, with the same filter" }),
};

/** What a change of many messages answers. */
export const changed = z.object({
  matched: z.int().openapi({ description: "Messages that the filter means" }),
  done: z.int().openapi({ description: "How many of them were changed; none in a dry run" }),
  running: z.int().openapi({
    description: "How many run: a cancel stops them at their worker's next heartbeat",
  }),
  left: count.openapi({
    description: "How many more the filter means, counted among the next 10,000 rows",
  }),
  missing: z.array(z.string()).openapi({ description: "Ids that are not there" }),
  next: next.openapi({
    description: "Where to go on, as `cursor`; null when everything is done",
  }),
}).openapi("Changed");

/** How many a second come due. */
const perSecond = z.number().min(0.001).max(1_000_000).optional();

/**
 * A filter means something only if it says something; everything has to be asked for.
 * @param names of the filter's fields
 */
function asksForSome<Body extends z.ZodObject>(body: Body, names: readonly string[]) {
  const given = (fields: object) =>
    names.filter((name) =>
      Object.entries(fields).some(([key, value]) => key === name && value !== undefined)
    );
  return body
    .refine((fields) => given(fields).length > 0 || fields.all === true, {
      path: [],
      message: `give at least one of ${names.join(", ")}, or all`,
    })
    .refine((fields) => given(fields).length === 0 || fields.all !== true, {
      path: ["all"],
      message: "goes with no filter",
    })
    .refine(({ failedFrom, failedUntil }) => !isBefore(failedUntil, failedFrom), {
      path: ["failedUntil"],
      message: "has to come after failedFrom",
    });
}

/** Whether the first of two moments does not come after the second; false where one is missing. */
function isBefore(until: unknown, from: unknown): boolean {
  return new Date(String(until)).getTime() <= new Date(String(from)).getTime();
}

const FAILED_FILTER = ["ids", ...Object.keys(failedFields)];
const FILTER = ["ids", "type", "queue"];

/** Which dead letters to redrive, and how. */
export const redriveBody = asksForSome(
  z.strictObject({ ids, ...failedFields, ...steps, perSecond, toQueue: queueName.optional() }),
  FAILED_FILTER,
);

/** Which dead letters to remove. */
export const removeBody = asksForSome(
  z.strictObject({ ids, ...failedFields, ...steps }),
  FAILED_FILTER,
);

/** How to redrive one dead letter. */
export const redriveOneBody = z.strictObject({
  payload: z.unknown().optional().openapi({ description: "Takes the place of its payload" }),
  toQueue: queueName.optional(),
  dryRun,
}).refine((body) => body.payload !== null, { path: ["payload"], message: "has to be given" });

/** Which messages to cancel, or to run now. */
export const messagesBody = asksForSome(
  z.strictObject({ ids, type: typeName.optional(), queue: queueName.optional(), ...steps }),
  FILTER,
);
