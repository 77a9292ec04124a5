/** Schema of what a message came from, and of what it waits for. */

import { z } from "@hono/zod-openapi";
import { id } from "./query-fields.ts";

/** The state of a message, wherever it is. */
export const followedStatus = z.enum([
  ...["pending", "processing", "retrying"] as const,
  ...["failed", "cancelled", "handled"] as const,
]);

/** A message that another object names. */
export const related = z.object({
  id,
  type: z.string().nullable(),
  status: followedStatus.nullable(),
}).openapi("RelatedMessage", {
  description: "Another message; type and status are null once it is gone",
});

/** The relations of a message or a dead letter. */
export const relations = z.object({
  schedule: z.object({
    id,
    name: z.string().nullable(),
    occurrence: z.string().nullable().openapi({ description: "The planned time" }),
    exists: z.boolean(),
  }).nullable().openapi({ description: "The schedule that made it" }),
  batch: z.object({
    id,
    name: z.string().nullable().openapi({ description: "Null once the batch is gone" }),
  }).nullable().openapi({ description: "The batch that it is a member of" }),
  endOfBatch: z.object({
    id,
    name: z.string().nullable(),
    event: z.string().nullable().openapi({ description: "finished, succeeded or failed" }),
  }).nullable().openapi({ description: "The batch that dispatched it at its end" }),
  // A named schema that is nullable would be null wherever its name is used.
  parent: z.union([related, z.null()]).openapi({
    description: "The message that waits for its result",
  }),
  children: z.object({
    messages: z.array(related).openapi({ description: "The first 100" }),
    more: z.boolean(),
  }).openapi({ description: "Messages whose results it waits for" }),
}).openapi("Relations");
