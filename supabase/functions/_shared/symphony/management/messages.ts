/** Messages that wait or run: list, show, cancel. */

import { z } from "@hono/zod-openapi";
import { NotFoundError } from "../errors.ts";
import { actingAs } from "./acting.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { id, next, toCursor } from "./fields.ts";
import { cancelBody, message, messageQuery, messageSummary } from "./message-schemas.ts";
import { ask, type ManagementParts } from "./parts.ts";

const params = z.object({ id });
const tag = "messages";
const cancelled = z.object({
  cancelled: z.int().openapi({ description: "They waited, and are dead letters now" }),
  running: z.int().openapi({ description: "They are stopped at their worker's next heartbeat" }),
}).openapi("CancelResult");

/** Adds the endpoints of messages. */
export function addMessages(app: ManagementApp, { supabase }: ManagementParts): void {
  const show = async (id: string) => {
    const found = await ask<z.input<typeof message> | null>(
      supabase,
      "messenger_show_message",
      { id },
    );
    if (!found) throw new NotFoundError(`id: no message ${id} waits or runs`);
    return found;
  };

  addEndpoint(app, {
    method: "get",
    path: "/messages",
    operationId: "listMessages",
    tag,
    summary: "Lists messages that wait or run, the latest first, without payloads",
    description: "A page may come back short; `next` says whether there are more.",
    query: messageQuery,
    answer: z.object({ messages: z.array(messageSummary), next }),
  }, async ({ query: { limit, cursor: beforeId, ...filter } }) => {
    const page = await ask<{ messages: z.input<typeof messageSummary>[]; next: string | null }>(
      supabase,
      "messenger_list_messages",
      { ...filter, beforeId, maxMessages: limit },
    );
    return { messages: page.messages, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path: "/messages/{id}",
    operationId: "getMessage",
    tag,
    summary: "Shows a message with its payload and its history",
    params,
    answer: message,
  }, ({ params }) => show(params.id));

  addEndpoint(app, {
    method: "post",
    path: "/messages/cancel",
    operationId: "cancelMessages",
    tag,
    summary: "Cancels messages, by ids or filter",
    body: cancelBody,
    answer: cancelled,
  }, ({ body, operator }) => ask(actingAs(supabase, operator.actor), "messenger_cancel", body));

  addEndpoint(app, {
    method: "post",
    path: "/messages/{id}/cancel",
    operationId: "cancelMessage",
    tag,
    summary: "Cancels one message",
    params,
    answer: cancelled,
  }, async ({ params, operator }) => {
    const result = await ask<z.input<typeof cancelled>>(
      actingAs(supabase, operator.actor),
      "messenger_cancel",
      { ids: [params.id] },
    );
    // One that was cancelled before, and runs still, is there.
    if (result.cancelled + result.running === 0) await show(params.id);
    return result;
  });
}
