/** Dead letters: list, show, redrive, edit and redrive, remove. */

import { z } from "@hono/zod-openapi";
import { NotFoundError } from "../message/errors.ts";
import { actingAs } from "../database/acting.ts";
import {
  groupDeadLetters,
  listDeadLetters,
  redriveDeadLetters,
  removeDeadLetters,
  showDeadLetter,
} from "../database/dead-letters.ts";
import { redrive } from "../dead-letters/redrive.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { id, next, toCursor } from "./query-fields.ts";
import {
  changed,
  failedGroup,
  failedMessage,
  failedQuery,
  failedSummary,
  redriveBody,
  redriveOneBody,
  removeBody,
} from "./message-schemas.ts";
import { changeMany, type ManagementParts } from "./parts.ts";

const params = z.object({ id });
const tag = "failed messages";
const path = "/failed-messages/{id}";
const inSteps = "Works for up to 10 s, in steps that each commit; `next` tells where to continue.";

/** Adds the endpoints of dead letters. */
export function addFailedMessages(app: ManagementApp, parts: ManagementParts): void {
  // Before /failed-messages/{id}, which would take its path.
  addGroups(app, parts);
  addReading(app, parts);
  addRedriving(app, parts);
  addRemoving(app, parts);
}

function addGroups(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/failed-messages/groups",
    operationId: "groupFailedMessages",
    tag,
    summary: "Counts dead letters by type, reason and error, the largest groups first",
    description: "Reads the 10,000 that failed last; `next` tells whether there are more. " +
      "Groups of several pages with the same type, reason and error add up.",
    query: failedQuery,
    answer: z.object({
      groups: z.array(failedGroup),
      leftOut: z.int().openapi({ description: "Groups of this page beyond `limit`" }),
      scanned: z.int().openapi({ description: "Number of dead letters that were read" }),
      next,
    }),
  }, async ({ query: { limit, cursor, ...filter } }) => {
    const [beforeAt, beforeId] = cursor ?? [];
    const page = await groupDeadLetters(supabase, {
      ...filter,
      ...{ beforeAt, beforeId, maxMessages: limit },
    });
    return { ...page, next: toCursor(page.next) };
  });
}

function addReading(app: ManagementApp, { supabase }: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/failed-messages",
    operationId: "listFailedMessages",
    tag,
    summary: "Lists dead letters, the latest first, without payloads",
    description: "A page may be short; `next` tells whether there are more dead letters.",
    query: failedQuery,
    answer: z.object({ messages: z.array(failedSummary), next }),
  }, async ({ query: { limit, cursor, ...filter } }) => {
    const [beforeAt, beforeId] = cursor ?? [];
    const page = await listDeadLetters(supabase, {
      ...filter,
      ...{ beforeAt, beforeId, maxMessages: limit },
    });
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
    const found = await showDeadLetter(supabase, params.id);
    if (!found) throw notFound(params.id);
    return found;
  });
}

function addRedriving(app: ManagementApp, parts: ManagementParts): void {
  const { supabase, bus } = parts;
  addEndpoint(app, {
    method: "post",
    path: "/failed-messages/redrive",
    operationId: "redriveFailedMessages",
    tag,
    summary: "Puts dead letters back into their queues, by ids, by filter or all",
    description: inSteps,
    body: redriveBody,
    answer: changed,
  }, ({ body, operator }) => changeMany(parts, operator, redriveDeadLetters, body));

  addEndpoint(app, {
    method: "post",
    path: `${path}/redrive`,
    operationId: "redriveFailedMessage",
    tag,
    summary: "Puts one dead letter back into its queue, with a new payload if one is given",
    params,
    body: redriveOneBody,
    answer: changed,
  }, async ({ params, body: { payload, toQueue, from, dryRun }, operator }) => {
    const result = await redrive(actingAs(supabase, operator.actor), bus, {
      ids: [params.id],
      dryRun,
      ...(toQueue !== undefined && { toQueue }),
      ...(from !== undefined && { from }),
      ...(payload !== undefined && { payload }),
    });
    if (result.matched === 0) throw notFound(params.id);
    return { ...result, missing: [], next: null };
  });
}

function addRemoving(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "post",
    path: "/failed-messages/remove",
    operationId: "removeFailedMessages",
    tag,
    summary: "Deletes dead letters for good, by ids, by filter or all",
    description: inSteps,
    body: removeBody,
    answer: changed,
  }, ({ body, operator }) => changeMany(parts, operator, removeDeadLetters, body));

  addEndpoint(app, {
    method: "delete",
    path,
    operationId: "removeFailedMessage",
    tag,
    summary: "Deletes one dead letter for good",
    params,
    answer: changed,
  }, async ({ params, operator }) => {
    const result = await changeMany(parts, operator, removeDeadLetters, {
      ids: [params.id],
    });
    if (result.matched === 0) throw notFound(params.id);
    return result;
  });
}

function notFound(id: string): NotFoundError {
  return new NotFoundError(`id: there is no dead letter ${id}`);
}
