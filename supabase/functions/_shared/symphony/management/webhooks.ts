/** Webhook endpoints: list, create, change, rotate, test, delete; deliveries: list, send again. */

import { z } from "@hono/zod-openapi";
import type { SupabaseClient } from "@supabase/supabase-js";
import { actingAs } from "../database/acting.ts";
import {
  createEndpoint,
  deleteEndpoint,
  listDeliveries,
  listEndpoints,
  resendWebhooks,
  rotateSecret,
  setEndpoint,
  showEndpoint,
  testEndpoint,
} from "../database/webhook-endpoints.ts";
import { NotFoundError } from "../message/errors.ts";
import { parseDuration } from "../runtime/duration.ts";
import { addEndpoint, type ManagementApp } from "./endpoint.ts";
import { changeMany, type ManagementParts } from "./parts.ts";
import { cursor, limit, next, toCursor } from "./query-fields.ts";
import {
  changeBody,
  createBody,
  deliveriesQuery,
  delivery,
  endpoint,
  endpointName,
  endpointWithSecret,
  resendBody,
  resent,
  rotateBody,
} from "./webhook-schemas.ts";

const tag = "webhooks";
const path = "/webhooks/{name}";
const params = z.object({ name: endpointName });

/** Adds the endpoints of webhooks. */
export function addWebhooks(app: ManagementApp, parts: ManagementParts): void {
  addReading(app, parts.supabase);
  addCreation(app, parts.supabase);
  addChanges(app, parts.supabase);
  addSecrets(app, parts.supabase);
  addDeliveries(app, parts);
}

async function show(supabase: SupabaseClient, name: string) {
  const found = await showEndpoint(supabase, name);
  if (!found) throw new NotFoundError(`name: there is no endpoint ${name}`);
  return found;
}

function addReading(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "get",
    path: "/webhooks",
    operationId: "listWebhookEndpoints",
    tag,
    summary: "Lists webhook endpoints by name",
    query: z.strictObject({ limit, cursor: cursor(endpointName) }),
    answer: z.object({ endpoints: z.array(endpoint), next }),
  }, async ({ query: { limit, cursor: afterName } }) => {
    const page = await listEndpoints(supabase, { afterName, maxEndpoints: limit });
    return { endpoints: page.endpoints, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "get",
    path,
    operationId: "getWebhookEndpoint",
    tag,
    summary: "Shows a webhook endpoint",
    params,
    answer: endpoint,
  }, ({ params }) => show(supabase, params.name));
}

function addCreation(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(
    app,
    {
      method: "post",
      path: "/webhooks",
      operationId: "createWebhookEndpoint",
      tag,
      summary: "Makes a webhook endpoint, and a secret for it",
      body: createBody,
      answer: endpointWithSecret,
      statuses: { 201: "The endpoint, and the secret that was made" },
    },
    ({ body: { name, ...settings }, operator }) =>
      createEndpoint(actingAs(supabase, operator.actor), name, settings),
  );

  addEndpoint(app, {
    method: "delete",
    path,
    operationId: "deleteWebhookEndpoint",
    tag,
    summary: "Deletes a webhook endpoint; messages that wait for it become dead letters",
    params,
    answer: z.object({ removed: z.boolean() }),
  }, async ({ params, operator }) => {
    await deleteEndpoint(actingAs(supabase, operator.actor), params.name);
    return { removed: true };
  });
}

function addChanges(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(
    app,
    {
      method: "patch",
      path,
      operationId: "updateWebhookEndpoint",
      tag,
      summary: "Changes the given settings; null removes a limit",
      params,
      body: changeBody,
      answer: endpoint,
    },
    async ({ params, body, operator }) =>
      (await setEndpoint(actingAs(supabase, operator.actor), params.name, body)).endpoint,
  );

  for (const disabled of [true, false]) {
    const verb = disabled ? "disable" : "enable";
    addEndpoint(app, {
      method: "post",
      path: `${path}/${verb}`,
      operationId: `${verb}WebhookEndpoint`,
      tag,
      summary: disabled
        ? "Disables an endpoint: events are not published to it, and what waits becomes dead letters"
        : "Enables an endpoint; what it missed can be sent again",
      params,
      answer: endpoint,
    }, async ({ params, operator }) => {
      const client = actingAs(supabase, operator.actor);
      return (await setEndpoint(client, params.name, { disabled })).endpoint;
    });
  }

  addEndpoint(app, {
    method: "post",
    path: `${path}/test`,
    operationId: "testWebhookEndpoint",
    tag,
    summary: "Publishes the event webhook.test to the endpoint; deliveries show what became of it",
    params,
    answer: z.object({ published: z.boolean() }),
  }, async ({ params, operator }) => {
    await testEndpoint(actingAs(supabase, operator.actor), params.name);
    return { published: true };
  });
}

function addSecrets(app: ManagementApp, supabase: SupabaseClient): void {
  addEndpoint(app, {
    method: "post",
    path: `${path}/rotate-secret`,
    operationId: "rotateWebhookSecret",
    tag,
    summary: "Makes a new secret; the former one signs as well for a while",
    params,
    body: rotateBody,
    answer: endpointWithSecret,
  }, ({ params, body, operator }) =>
    rotateSecret(
      actingAs(supabase, operator.actor),
      params.name,
      parseDuration(body.overlap, "overlap"),
    ));
}

function addDeliveries(app: ManagementApp, parts: ManagementParts): void {
  addEndpoint(app, {
    method: "get",
    path: "/webhook-deliveries",
    operationId: "listWebhookDeliveries",
    tag,
    summary: "Lists attempts to deliver webhooks, the latest first",
    description: "A page may be short; `next` tells whether there are more attempts.",
    query: deliveriesQuery,
    answer: z.object({ deliveries: z.array(delivery), next }),
  }, async ({ query: { limit, cursor: beforeId, ...filter } }) => {
    const page = await listDeliveries(parts.supabase, {
      ...filter,
      ...{ beforeId, maxDeliveries: limit },
    });
    return { deliveries: page.deliveries, next: toCursor(page.next) };
  });

  addEndpoint(app, {
    method: "post",
    path: "/webhook-deliveries/resend",
    operationId: "resendWebhooks",
    tag,
    summary: "Sends webhooks again: attempts by ids, or by a filter what failed last",
    description: "Works for up to 10 s, in steps that each commit; `next` tells where to continue.",
    body: resendBody,
    answer: resent,
  }, ({ body, operator }) => changeMany(parts, operator, resendWebhooks, body));
}
