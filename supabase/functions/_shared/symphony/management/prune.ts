/** Pruning: deletes rows that are no longer needed, like the hourly pg_cron job. */

import { z } from "@hono/zod-openapi";
import { pruneRows } from "../database/pruning.ts";
import { parseDuration } from "../runtime/duration.ts";
import { durationField } from "../http/field-schemas.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { cursor, next } from "./query-fields.ts";
import { changeMany, type ManagementParts } from "./parts.ts";

const KINDS = [
  "failed",
  "idempotency_keys",
  "handled",
  "rate_limits",
  "batches",
  "outbox",
  "deliveries",
  "series",
  "progress",
  "steps",
] as const;

const body = z.strictObject({
  failedOlderThan: durationField.refine(
    (age) => parseDuration(age, "failedOlderThan") > 0,
    "has to be more than 0; /failed-messages/remove with all: true deletes all dead letters",
  ).openapi({
    type: "string",
    pattern: "^\\d{1,9}(ms|s|m|h|d)$",
    description: "Age from which dead letters are deleted",
    example: "30d",
  }),
  dryRun: z.boolean().default(false).openapi({
    description: "Counts up to 10,000 of each kind, and deletes none",
  }),
  cursor: cursor(z.strictObject({
    kind: z.enum(KINDS),
    id: z.string().regex(/^-?\d{1,19}$/).nullable(),
  })).openapi({ description: "`next` of the request before, which had the same age" }),
});

const pruned = z.object({
  matched: z.int().openapi({ description: "Rows that are no longer needed" }),
  done: z.int().openapi({ description: "Number of deleted rows; 0 in a dry run" }),
  capped: z.boolean().openapi({
    description: "Whether a dry run stopped counting at 10,000 of a kind: there may be more",
  }),
  failed: z.int().openapi({ description: "Dead letters among them" }),
  idempotencyKeys: z.int().openapi({ description: "Expired idempotency keys" }),
  handled: z.int().openapi({ description: "Records of handled messages whose time is over" }),
  steps: z.int().openapi({ description: "Durable steps of deleted messages" }),
  series: z.int().openapi({
    description: "Points of time series: minutes that became hours, and those of 30 days ago",
  }),
  batches: z.int().openapi({ description: "Batches that ended more than 30 days ago" }),
  outbox: z.int().openapi({
    description: "Publications to other transports that were kept long enough",
  }),
  deliveries: z.int().openapi({
    description: "Notes of handled deliveries that were kept long enough",
  }),
  progress: z.int().openapi({ description: "Progress of deleted messages" }),
  rateLimits: z.int().openapi({
    description: "Rate limits of callers whose allowance is whole again",
  }),
  next: next.openapi({
    description: "Where to continue, as `cursor`; null when everything is done",
  }),
}).openapi("Pruned");

/** Adds the endpoint. */
export function addPruning(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "post",
    path: "/prune",
    operationId: "prune",
    tag: "prune",
    summary: "Deletes old dead letters, expired keys and records that are no longer needed",
    description: "Works for up to 10 s, in steps that each commit; `next` tells where to continue.",
    body,
    answer: pruned,
  }, async ({ body: { failedOlderThan, ...rest }, operator }) => {
    const failedOlderThanMs = parseDuration(failedOlderThan, "failedOlderThan");
    return await changeMany(parts, operator, pruneRows, { ...rest, failedOlderThanMs });
  });
}
