/** Batches: list, show, cancel. */

import { z } from "@hono/zod-openapi";
import { cancelBatch, followBatch, listBatches, listMembers } from "../database/batch-calls.ts";
import { NotFoundError } from "../message/errors.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { changed } from "./message-schemas.ts";
import { changeMany, type ManagementParts } from "./parts.ts";
import { followedStatus, related } from "./relation-schemas.ts";
import { cursor, id, limit, next, text, time, toCursor } from "./query-fields.ts";

const tag = "batches";
const params = z.object({ id });

const batch = z.object({
  id,
  name: z.string(),
  status: z.enum(["open", "running", "cancelling", "handled", "failed", "cancelled"]),
  types: z.array(z.string()).readonly().openapi({
    description: "Types of its members, the first 1,000",
  }),
  total: z.int(),
  handled: z.int(),
  failed: z.int().openapi({
    description: "Members that are dead letters, or were removed as such",
  }),
  pending: z.int().openapi({ description: "Members that wait or run" }),
  createdAt: time,
  sealedAt: time.nullable().openapi({ description: "Since then it takes no further member" }),
  failedAt: time.nullable().openapi({ description: "When its first dead letter was counted" }),
  finishedAt: time.nullable().openapi({ description: "When first no member waited or ran" }),
  succeededAt: time.nullable().openapi({ description: "When all members were handled" }),
  cancelledAt: time.nullable(),
}).openapi("Batch");

const cancelBody = z.strictObject({
  dryRun: z.boolean().default(false).openapi({ description: "Only counts" }),
  cursor: cursor(z.strictObject({ chunk: z.int().min(1) })).openapi({
    description: "`next` of the request before",
  }),
});

const memberQuery = z.strictObject({
  status: followedStatus.optional(),
  limit,
  cursor: cursor(z.tuple([z.int().min(1).max(1_000_000), z.int().min(0).max(1_000_000)])),
});

/** Adds the endpoints of batches. */
export function addBatches(app: ManagementApp, parts: ManagementParts): void {
  addReading(app, parts);
  addMembers(app, parts);
  addCancel(app, parts);
}

function addMembers(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/batches/{id}/members",
    operationId: "listBatchMembers",
    tag,
    summary: "Lists the members of a batch in their order, with their states",
    description: "Type and state are null of a member that is handled and not kept, or removed. " +
      "A page may be short; `next` tells whether there are more members.",
    params,
    query: memberQuery,
    answer: z.object({ members: z.array(related), next }),
  }, async ({ params: { id }, query: { status, limit: maxMembers, cursor: after } }) => {
    const [batch, page] = await Promise.all([
      followBatch(supabase, id, null),
      listMembers(supabase, { id, status, after, maxMembers }),
    ]);
    if (!batch) throw new NotFoundError(`id: no batch ${id}`);
    return { members: page.members, next: toCursor(page.next) };
  });
}

function addReading(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/batches",
    operationId: "listBatches",
    tag,
    summary: "Lists batches, the latest first",
    description: "A page may be short; `next` tells whether there are more batches.",
    query: z.strictObject({ name: text(255).optional(), limit, cursor: cursor(id) }),
    answer: z.object({ batches: z.array(batch), next }),
  }, async ({ query: { name, limit: maxBatches, cursor: beforeId } }) => {
    const page = await listBatches(parts.supabase, { name, maxBatches, beforeId });
    return { batches: page.batches, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path: "/batches/{id}",
    operationId: "getBatch",
    tag,
    summary: "Shows a batch with its counts",
    params,
    answer: batch,
  }, async ({ params }) => {
    const found = await followBatch(parts.supabase, params.id, null);
    if (!found) throw new NotFoundError(`id: no batch ${params.id}`);
    return found;
  });
}

function addCancel(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(
    app,
    {
      method: "post",
      path: "/batches/{id}/cancel",
      operationId: "cancelBatch",
      tag,
      summary:
        "Cancels a batch: it takes no further member, and those that wait or run are cancelled",
      description:
        "Works for up to 10 s, in steps that each commit; `next` tells where to continue. " +
        "Sweeps continue a cancel that no request continues.",
      params,
      body: cancelBody,
      answer: changed,
    },
    ({ params, body, operator }) =>
      changeMany(parts, operator, cancelBatch, { ...body, id: params.id }),
  );
}
