/** Pruning: deletes what is no longer needed, as the pg_cron job does every hour. */

import { z } from "@hono/zod-openapi";
import { parseDuration } from "../runtime/duration.ts";
import { durationField } from "../http/field-schemas.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { cursor, next } from "./query-fields.ts";
import { changeMany, type ManagementParts } from "./parts.ts";
import { fromRow } from "./listed-rows.ts";

const KINDS = ["failed", "idempotency_keys", "handled", "rate_limits", "progress"] as const;

const body = z.strictObject({
  failedOlderThan: durationField.refine(
    (age) => parseDuration(age, "failedOlderThan") > 0,
    "has to be more than 0; /failed-messages/remove with all: true deletes all dead letters",
  ).openapi({
    type: "string",
    pattern: "^\\d{1,9}(ms|s|m|h|d)$",
    description: "Age of the dead letters that are deleted",
    example: "30d",
  }),
  dryRun: z.boolean().default(false).openapi({
    description: "Only counts, up to 10,000 of each kind",
  }),
  cursor: cursor(z.strictObject({
    kind: z.enum(KINDS),
    id: z.string().regex(/^-?\d{1,19}$/).nullable(),
  })).openapi({ description: "`next` of the request before, with the same age" }),
});

const pruned = z.object({
  matched: z.int().openapi({ description: "Rows that are no longer needed" }),
  done: z.int().openapi({ description: "How many of them were deleted; none in a dry run" }),
  failed: z.int().openapi({ description: "Dead letters among them" }),
  idempotencyKeys: z.int().openapi({ description: "Expired idempotency keys" }),
  handled: z.int().openapi({ description: "Records of handled messages, kept long enough" }),
  progress: z.int().openapi({ description: "Progress of messages that are gone" }),
  rateLimits: z.int().openapi({ description: "Rate limits of callers who have all again" }),
  next: next.openapi({ description: "Where to go on, as `cursor`; null when everything is done" }),
}).openapi("Pruned");

/** Adds the endpoint. */
export function addPruning(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "post",
    path: "/prune",
    operationId: "prune",
    tag: "prune",
    summary: "Deletes old dead letters, expired keys and records that are no longer needed",
    description:
      "Goes on for up to 10 s, in steps that are each committed; `next` says whether there is more to do.",
    body,
    answer: pruned,
  }, async ({ body: { failedOlderThan, ...rest }, operator }) => {
    const age = `${parseDuration(failedOlderThan, "failedOlderThan")} milliseconds`;
    const { next, ...counts } = await changeMany(parts, operator, "messenger_prune", {
      ...rest,
      failedOlderThan: age,
    });
    return { ...fromRow(counts) as Omit<z.input<typeof pruned>, "next">, next };
  });
}
