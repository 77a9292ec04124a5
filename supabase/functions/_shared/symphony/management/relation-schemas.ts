/** Schema of what a message came from, and of what it waits for. */

import { z } from "@hono/zod-openapi";
import { id } from "./query-fields.ts";

const related = z.object({
  id,
  type: z.string().nullable(),
  status: z.enum(["pending", "processing", "retrying", "failed", "cancelled", "handled"])
    .nullable(),
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
  parent: related.nullable().openapi({ description: "The message that waits for its result" }),
  children: z.object({
    messages: z.array(related).openapi({ description: "The first 100" }),
    more: z.boolean(),
  }).openapi({ description: "Messages whose results it waits for" }),
}).openapi("Relations");
