/** The transports beside home, and the messages that wait for them in the outbox. */

import { z } from "@hono/zod-openapi";
import {
  cancelOutbox,
  listOutbox,
  readTransports,
  resendOutbox,
  runOutbox,
} from "../database/outbox-lists.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { changeMany, type ManagementParts, STEPS_BUDGET_MS } from "./parts.ts";
import {
  asksForSome,
  bigNumber,
  count,
  cursor,
  exactMoment,
  id,
  limit,
  next,
  plainName,
  queueName,
  text,
  time,
  toCursor,
  typeName,
} from "./query-fields.ts";

const tag = "outbox";
const transport = plainName.openapi({ example: "events" });

const status = z.object({
  name: z.string(),
  declared: z.boolean().openapi({ description: "Whether the deployed code declares it" }),
  received: z.boolean().nullable().openapi({
    description: "Whether this project's workers receive from it; null if it is not declared",
  }),
  routes: z.array(z.string()).openapi({
    description:
      "Types and patterns that the deployed code sends through it, without those for which a function decides",
  }),
  waiting: count.openapi({ description: "Messages that wait in the outbox, up to 100,000" }),
  due: count.openapi({ description: "Those of them that are due" }),
  bytes: bigNumber.openapi({ description: "Bytes of those that wait" }),
  oldestDueAt: time.nullable(),
  refused: z.int().openapi({ description: "Messages that the transport has refused" }),
  failures: z.int().nullable().openapi({ description: "Failures in a row" }),
  failure: z.string().nullable().openapi({ description: "Text of the latest failure" }),
  retryAt: time.nullable().openapi({ description: "When it is tried again" }),
}).openapi("TransportStatus");

const message = z.object({
  position: z.string(),
  id,
  publication: z.int().openapi({ description: "Number of this writing into the transport" }),
  transport: z.string(),
  type: z.string(),
  queue: z.string(),
  priority: z.int(),
  groupKey: z.string().nullable(),
  availableAt: time,
  createdAt: time,
  expiresAt: time.nullable(),
  sentAt: time.nullable(),
  retryCount: z.int(),
  attempts: z.int(),
  refusals: z.int(),
  refusal: z.string().nullable().openapi({ description: "Text of the latest refusal" }),
  due: z.boolean(),
}).openapi("OutboxMessage");

const position = { id: z.string().regex(/^\d{1,19}$/) };
const place = cursor(z.strictObject(position)).openapi({
  description: "`next` of the request before",
});
const cancelPlace = cursor(z.strictObject({ ...position, held: z.literal(true).optional() }))
  .openapi({ description: "`next` of the request before" });
const steps = {
  dryRun: z.boolean().default(false).openapi({ description: "Only counts" }),
  budgetMs: z.int().min(0).max(STEPS_BUDGET_MS).default(STEPS_BUDGET_MS).openapi({
    description: "Age of the request from which it begins no further step",
  }),
  cursor: place,
};

const cancelFilter = {
  ids: z.array(id).min(1).max(1000).optional(),
  transport: transport.optional(),
  type: typeName.optional(),
  queue: queueName.optional(),
  groupKey: text(255).optional(),
};
const cancelBody = asksForSome(
  z.strictObject({ ...cancelFilter, all: z.boolean().optional(), ...steps, cursor: cancelPlace }),
  Object.keys(cancelFilter),
);

const moved = z.object({
  matched: z.int().openapi({ description: "Messages that match" }),
  done: z.int().openapi({ description: "Number of changed messages; 0 in a dry run" }),
  next: next.openapi({
    description: "Where to continue, as `cursor`; null when everything is done",
  }),
}).openapi("OutboxChanged");

const cancelled = moved.extend({
  running: z.int().openapi({
    description: "Messages that a broker has: they are dropped when a worker gets them",
  }),
  missing: z.array(z.string()).openapi({ description: "Ids that are not in the outbox" }),
  elsewhere: z.array(z.object({ id: z.string(), transport: z.string() })).readonly().default([])
    .openapi({
      description: "Ids that another project has: they are cancelled there, under the ids there",
    }),
}).openapi("OutboxCancelled");

/** Adds the endpoints. */
export function addOutbox(app: ManagementApp, parts: ManagementParts): void {
  addReading(app, parts);
  addChanges(app, parts);
}

function addReading(app: ManagementApp, { supabase, router }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/transports",
    operationId: "listTransports",
    tag,
    summary: "Shows how each transport beside home stands",
    answer: z.object({ transports: z.array(status) }),
  }, async () => {
    const routes = Object.entries(router?.routes.declared?.routes ?? {});
    const routesTo = (name: string) => routes.flatMap(([one, to]) => to === name ? one : []);
    const transports = await readTransports(supabase);
    return { transports: transports.map((one) => ({ ...one, routes: routesTo(one.name) })) };
  });

  addEndpoint(app, {
    method: "get",
    path: "/outbox",
    operationId: "listOutbox",
    tag,
    summary: "Lists messages of other transports that wait, or that were sent and are kept",
    query: z.strictObject({
      transport: transport.optional(),
      type: typeName.optional(),
      queue: queueName.optional(),
      state: z.enum(["waiting", "sent"]).default("waiting"),
      limit,
      cursor: cursor(z.string().regex(/^\d{1,19}$/)),
    }),
    answer: z.object({ messages: z.array(message), next }),
  }, async ({ query: { limit: maxMessages, cursor: after, ...filter } }) => {
    const page = await listOutbox(supabase, { ...filter, maxMessages, after });
    return { messages: page.messages, next: toCursor(page.next) };
  });
}

function addChanges(app: ManagementApp, parts: ManagementParts): void {
  const change = { method: "post", tag, answer: moved } as const;
  const description =
    "Works for up to 10 s, in steps that each commit; `next` tells where to continue.";
  addEndpoint(app, {
    ...{ ...change, description, path: "/outbox/cancel", operationId: "cancelOutbox" },
    summary: "Makes dead letters of messages that wait in the outbox, or that a broker has",
    answer: cancelled,
    body: cancelBody,
  }, ({ body, operator }) => changeMany(parts, operator, cancelOutbox, body));

  addEndpoint(app, {
    ...{ ...change, description, path: "/outbox/run", operationId: "runOutbox" },
    mayBeMissing: true,
    summary: "Publishes now what waits for a transport, also what it has refused",
    body: z.strictObject({ transport, ...steps }),
  }, ({ body, operator }) => changeMany(parts, operator, runOutbox, body));

  addEndpoint(app, {
    ...{ ...change, description, path: "/outbox/resend", operationId: "resendOutbox" },
    mayBeMissing: true,
    summary: "Publishes again what a transport has confirmed, because it has lost its messages",
    body: z.strictObject({
      transport,
      since: exactMoment.openapi({ description: "After this moment it has lost messages" }),
      ...steps,
    }),
  }, ({ body, operator }) => changeMany(parts, operator, resendOutbox, body));
}
