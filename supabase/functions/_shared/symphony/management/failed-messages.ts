/** Dead letters: list, show, redrive, edit and redrive, remove. */

import { z } from "@hono/zod-openapi";
import { NotFoundError } from "../errors.ts";
import { redrive } from "../retry/redrive.ts";
import { actingAs } from "./acting.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { id, next, toCursor } from "./fields.ts";
import {
  failedMessage,
  failedQuery,
  failedSummary,
  redriveBody,
  redriveOneBody,
  removeBody,
} from "./message-schemas.ts";
import { ask, type ManagementParts } from "./parts.ts";

const params = z.object({ id });
const tag = "failed messages";
const path = "/failed-messages/{id}";
const redriven = z.object({ matched: z.int(), redriven: z.int() }).openapi("RedriveResult");
const removed = z.object({ matched: z.int(), removed: z.int() }).openapi("RemoveResult");

/** Adds the endpoints of dead letters. */
export function addFailedMessages(app: ManagementApp, parts: ManagementParts): void {
  addReading(app, parts);
  addRedriving(app, parts);
  addRemoving(app, parts);
}

function addReading(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/failed-messages",
    operationId: "listFailedMessages",
    tag,
    summary: "Lists dead letters, the latest first, without payloads",
    description: "A page may come back short; `next` says whether there are more.",
    query: failedQuery,
    answer: z.object({ messages: z.array(failedSummary), next }),
  }, async ({ query: { limit, cursor, ...filter } }) => {
    const [beforeAt, beforeId] = cursor ?? [];
    const page = await ask<{ messages: z.input<typeof failedSummary>[]; next: unknown }>(
      supabase,
      "messenger_list_failed",
      { ...filter, beforeAt, beforeId, maxMessages: limit },
    );
    return { messages: page.messages, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path,
    operationId: "getFailedMessage",
    tag,
    summary: "Shows a dead letter with its payload and its history",
    params,
    answer: failedMessage,
  }, async ({ params }) => {
    const found = await ask<z.input<typeof failedMessage> | null>(
      supabase,
      "messenger_show_failed",
      params,
    );
    if (!found) throw notFound(params.id);
    return found;
  });
}

function addRedriving(app: ManagementApp, { supabase, bus }: ManagementParts): void {
  addEndpoint(app, {
    method: "post",
    path: "/failed-messages/redrive",
    operationId: "redriveFailedMessages",
    tag,
    summary: "Puts dead letters back into their queues, by ids or filter",
    body: redriveBody,
    answer: redriven,
  }, ({ body, operator }) => ask(actingAs(supabase, operator.actor), "messenger_redrive", body));

  addEndpoint(app, {
    method: "post",
    path: `${path}/redrive`,
    operationId: "redriveFailedMessage",
    tag,
    summary: "Puts one dead letter back, with another payload if one is given",
    params,
    body: redriveOneBody,
    answer: redriven,
  }, async ({ params, body: { payload, toQueue, dryRun }, operator }) => {
    const result = await redrive(actingAs(supabase, operator.actor), bus, {
      ids: [params.id],
      dryRun,
      ...(toQueue !== undefined && { toQueue }),
      ...(payload !== undefined && { payload }),
    });
    if (result.matched === 0) throw notFound(params.id);
    return result;
  });
}

function addRemoving(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(
    app,
    {
      method: "post",
      path: "/failed-messages/remove",
      operationId: "removeFailedMessages",
      tag,
      summary: "Deletes dead letters for good, by ids or filter",
      body: removeBody,
      answer: removed,
    },
    ({ body, operator }) =>
      ask(actingAs(supabase, operator.actor), "messenger_remove_failed", body),
  );

  addEndpoint(app, {
    method: "delete",
    path,
    operationId: "removeFailedMessage",
    tag,
    summary: "Deletes one dead letter for good",
    params,
    answer: removed,
  }, async ({ params, operator }) => {
    const result = await ask<z.input<typeof removed>>(
      actingAs(supabase, operator.actor),
      "messenger_remove_failed",
      { ids: [params.id] },
    );
    if (result.matched === 0) throw notFound(params.id);
    return result;
  });
}

function notFound(id: string): NotFoundError {
  return new NotFoundError(`id: there is no dead letter ${id}`);
}
