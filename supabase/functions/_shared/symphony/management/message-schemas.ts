/** What the endpoints of messages and dead letters take and show. */

import { z } from "@hono/zod-openapi";
import {
  cursor,
  exactMoment,
  id,
  limit,
  moment,
  queueName,
  text,
  time,
  typeName,
} from "./fields.ts";

const REASONS = [
  "exhausted",
  "unrecoverable",
  "crashed",
  "invalid",
  "unknown_type",
  "expired",
  "cancelled",
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
  createdAt: time,
  groupKey: z.string().nullable(),
  blocked: z.boolean().openapi({ description: "It waits behind its group" }),
  dedupeKey: z.string().nullable(),
  alone: z.boolean().openapi({ description: "It was in a crash and runs with no other beside it" }),
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
const maxMessages = z.int().min(1).max(1_000_000).optional();

/** How many a second come due. */
const perSecond = z.number().min(0.001).max(1_000_000).optional();

/** A filter means something only if it says something. */
function meansSome(body: object): boolean {
  return Object.entries(body).some(([field, value]) => FILTERS.has(field) && value !== undefined);
}
const FILTERS = new Set(["ids", ...Object.keys(failedFields)]);
const meansNone = { path: [], message: `give at least one of ${[...FILTERS].join(", ")}` };

/** Which dead letters to redrive, and how. */
export const redriveBody = z.strictObject({
  ids,
  ...failedFields,
  maxMessages,
  perSecond,
  toQueue: queueName.optional(),
  dryRun,
}).refine(meansSome, meansNone);

/** Which dead letters to remove. */
export const removeBody = z.strictObject({ ids, ...failedFields, maxMessages, dryRun })
  .refine(meansSome, meansNone);

/** How to redrive one dead letter. */
export const redriveOneBody = z.strictObject({
  payload: z.unknown().optional().openapi({ description: "Takes the place of its payload" }),
  toQueue: queueName.optional(),
  dryRun,
}).refine((body) => body.payload !== null, { path: ["payload"], message: "has to be given" });

/** Which messages to cancel. */
export const cancelBody = z.strictObject({
  ids,
  type: typeName.optional(),
  queue: queueName.optional(),
  dryRun,
}).refine(meansSome, { path: [], message: "give at least one of ids, type, queue" });
