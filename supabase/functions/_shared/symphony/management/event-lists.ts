/** Events, and the messages that wait for them. */

import { z } from "@hono/zod-openapi";
import { listEvents, listWaiting, showEvent } from "../database/listed-events.ts";
import { NotFoundError } from "../message/errors.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import type { ManagementParts } from "./parts.ts";
import { count, cursor, id, limit, next, text, time, toCursor } from "./query-fields.ts";

const tag = "events";

const listed = {
  id,
  event: z.string().openapi({ description: "Its key", example: "approved:42" }),
  bytes: z.int().openapi({ description: "Length of its value as JSON" }),
  createdAt: time,
  waiting: count.openapi({
    description: "Messages that wait for its key now, counted up to 100",
  }),
};
const event = z.object(listed).openapi("EventSummary");
const waiting = z.object({
  id,
  type: z.string(),
  queue: z.string(),
  createdAt: time,
  until: time.nullable().openapi({ description: "When its wait times out" }),
  events: z.array(z.string()).openapi({ description: "Keys that it waits for, the first 100" }),
}).openapi("WaitingMessage");

const query = z.strictObject({
  event: text(255).optional().openapi({ description: "A key, as a whole" }),
  limit,
  cursor: cursor(id),
});

/** Adds the endpoints of events. */
export function addEvents(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/events",
    operationId: "listEvents",
    tag,
    summary: "Lists events, the latest first, without values",
    query,
    answer: z.object({ events: z.array(event), next }),
  }, async ({ query: { event, limit: maxEvents, cursor: beforeId } }) => {
    const page = await listEvents(supabase, { event, beforeId, maxEvents });
    return { events: page.events, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path: "/events/waiting",
    operationId: "listWaitingMessages",
    tag,
    summary: "Lists messages that wait for events, the latest first",
    description: "A page may be short; `next` tells whether there are more messages.",
    query,
    answer: z.object({ messages: z.array(waiting), next }),
  }, async ({ query: { event, limit: maxMessages, cursor: beforeId } }) => {
    const page = await listWaiting(supabase, { event, beforeId, maxMessages });
    return { messages: page.messages, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path: "/events/{id}",
    operationId: "getEvent",
    tag,
    summary: "Shows an event with its value",
    params: z.object({ id }),
    answer: z.object({ ...listed, value: z.unknown() }).openapi("Event"),
  }, async ({ params }) => {
    const found = await showEvent(supabase, params.id);
    if (!found) throw new NotFoundError(`id: there is no event ${params.id}`);
    return found;
  });
}
