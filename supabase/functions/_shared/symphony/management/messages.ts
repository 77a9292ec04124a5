/** Messages that wait or run: list, show, cancel, run now. */

import { z } from "@hono/zod-openapi";
import {
  cancelMessages,
  listMessages,
  runMessages,
  showMessage,
} from "../database/waiting-messages.ts";
import { NotFoundError } from "../message/errors.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { id, next, toCursor } from "./query-fields.ts";
import { changed, message, messageQuery, messagesBody, messageSummary } from "./message-schemas.ts";
import { changeMany, type ManagementParts } from "./parts.ts";

const params = z.object({ id });
const tag = "messages";
const VERBS = [
  ["cancel", cancelMessages, "Cancels", ""],
  [
    "run",
    runMessages,
    "Runs",
    " now: messages that are delayed or wait for a retry become due",
  ],
] as const;

/** Adds the endpoints of messages. */
export function addMessages(app: ManagementApp, parts: ManagementParts): void {
  addReading(app, parts);
  for (const verb of VERBS) addChange(app, parts, verb);
}

async function show({ supabase }: ManagementParts, id: string) {
  const found = await showMessage(supabase, id);
  if (!found) throw new NotFoundError(`id: no message ${id} waits or runs`);
  return found;
}

function addReading(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/messages",
    operationId: "listMessages",
    tag,
    summary: "Lists messages that wait or run, the latest first, without payloads",
    description: "A page may be short; `next` tells whether there are more messages.",
    query: messageQuery,
    answer: z.object({ messages: z.array(messageSummary), next }),
  }, async ({ query: { limit, cursor: beforeId, ...filter } }) => {
    const page = await listMessages(parts.supabase, {
      ...filter,
      ...{ beforeId, maxMessages: limit },
    });
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
  }, ({ params }) => show(parts, params.id));
}

function addChange(
  app: ManagementApp,
  parts: ManagementParts,
  [verb, change, Verb, what]: (typeof VERBS)[number],
): void {
  addEndpoint(app, {
    method: "post",
    path: `/messages/${verb}`,
    operationId: `${verb}Messages`,
    tag,
    summary: `${Verb} messages, by ids, by filter or all${what}`,
    description: "Works for up to 10 s, in steps that each commit; `next` tells where to continue.",
    body: messagesBody,
    answer: changed,
  }, ({ body, operator }) => changeMany(parts, operator, change, body));

  addEndpoint(app, {
    method: "post",
    path: `/messages/{id}/${verb}`,
    operationId: `${verb}Message`,
    tag,
    summary: `${Verb} one message${what}`,
    params,
    answer: changed,
  }, async ({ params, operator }) => {
    const result = await changeMany(parts, operator, change, { ids: [params.id] });
    // A message that runs and was cancelled before, or that is due already, counts as missing but exists.
    if (result.missing.length > 0) await show(parts, params.id);
    return result;
  });
}
