/** Webhook endpoints and deliveries, for operators. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ask } from "./ask.ts";
import { toArguments } from "./listed-rows.ts";
import { type StepsLimits, type StepsResult, takeSteps } from "./steps.ts";

/** Settings of an endpoint. A setting that may be null has no limit then. */
export interface EndpointSettings {
  url: string;
  /** Names such as `order.paid`, beginnings such as `order.*`, or `*`. */
  events: string[];
  /** Name of a secret in Vault. */
  secret: string;
  /** Largest number of calls within ratePeriodMs. */
  rateLimit: number | null;
  ratePeriodMs: number;
  /** How long every call may fail before it is disabled. */
  disableAfterMs: number | null;
}

/** Settings to change; those that are left out stay. */
export type EndpointChanges =
  & {
    readonly [Name in keyof EndpointSettings]?: EndpointSettings[Name] | undefined;
  }
  & { readonly disabled?: boolean };

/** An endpoint as it is listed. Moments are ISO 8601. */
export interface ListedEndpoint extends EndpointSettings {
  name: string;
  /** Signs as well until previousUntil. */
  previousSecret: string | null;
  previousUntil: string | null;
  failingSince: string | null;
  disabledBy: "operator" | "failures" | "gone" | null;
  disabledAt: string | null;
  disabledReason: string | null;
  createdAt: string;
}

/** An attempt to deliver an event. Moments are ISO 8601. */
export interface ListedDelivery {
  id: string;
  endpoint: string;
  eventId: string;
  event: string;
  messageId: string;
  attempt: number;
  delivered: boolean;
  status: number | null;
  durationMs: number;
  answer: string | null;
  error: string | null;
  sentAt: string;
}

/** An endpoint, with the secret that was made for it. */
export interface EndpointWithSecret {
  endpoint: ListedEndpoint;
  secret?: string;
}

/**
 * Lists endpoints by name.
 * @param page.afterName `next` of the page before
 * @returns the page, and where the next one begins; null on the last one
 * @throws the errors of `callRpc`
 */
export function listEndpoints(
  client: SupabaseClient,
  page: { readonly afterName?: string | undefined; readonly maxEndpoints: number },
): Promise<{ endpoints: ListedEndpoint[]; next: string | null }> {
  return ask(client, "messenger_list_webhook_endpoints", page);
}

/** Returns an endpoint; undefined if there is none of this name. @throws the errors of `callRpc` */
export async function showEndpoint(
  client: SupabaseClient,
  name: string,
): Promise<ListedEndpoint | undefined> {
  const { endpoints } = await ask<{ endpoints: ListedEndpoint[] }>(
    client,
    "messenger_list_webhook_endpoints",
    { name },
  );
  return endpoints[0];
}

/**
 * Makes an endpoint, and a secret in Vault unless the settings name one.
 * @throws ConflictError if there is one of this name, and the other errors of `callRpc`
 */
export function createEndpoint(
  client: SupabaseClient,
  name: string,
  settings: EndpointChanges,
): Promise<EndpointWithSecret> {
  return ask(client, "messenger_create_webhook_endpoint", {
    name,
    settings: toArguments(settings),
  });
}

/**
 * Changes the given settings of an endpoint.
 * @throws NotFoundError if there is none of this name, and the other errors of `callRpc`
 */
export function setEndpoint(
  client: SupabaseClient,
  name: string,
  changes: EndpointChanges,
): Promise<EndpointWithSecret> {
  return ask(client, "messenger_set_webhook_endpoint", { name, settings: toArguments(changes) });
}

/**
 * Deletes an endpoint, with the secrets that were made for it.
 * @throws NotFoundError if there is none of this name, and the other errors of `callRpc`
 */
export async function deleteEndpoint(client: SupabaseClient, name: string): Promise<void> {
  await ask(client, "messenger_delete_webhook_endpoint", { name });
}

/**
 * Makes a new secret for an endpoint; the former one signs as well for a while.
 * @param overlapMs how long, in ms
 * @throws NotFoundError if there is none of this name, and the other errors of `callRpc`
 */
export function rotateSecret(
  client: SupabaseClient,
  name: string,
  overlapMs: number,
): Promise<EndpointWithSecret> {
  const overlap = `${overlapMs} milliseconds`;
  return ask(client, "messenger_rotate_webhook_secret", { name, overlap });
}

/**
 * Publishes the event `webhook.test` to one endpoint.
 * @throws NotFoundError if there is none of this name, ConflictError if it is disabled, and the other errors of `callRpc`
 */
export async function testEndpoint(client: SupabaseClient, name: string): Promise<void> {
  await ask(client, "messenger_test_webhook_endpoint", { name });
}

/** Which attempts to list. */
export interface DeliveryFilter {
  readonly endpoint?: string | undefined;
  readonly event?: string | undefined;
  readonly delivered?: boolean | undefined;
  /** `next` of the page before. */
  readonly beforeId?: string | undefined;
  readonly maxDeliveries: number;
}

/** Lists attempts, the latest first. @throws the errors of `callRpc` */
export function listDeliveries(
  client: SupabaseClient,
  filter: DeliveryFilter,
): Promise<{ deliveries: ListedDelivery[]; next: string | null }> {
  return ask(client, "messenger_list_webhook_deliveries", filter);
}

/**
 * Sends webhooks again: attempts by ids, or what failed last by a filter.
 * @param selection `ids`, `endpoint`, `event`, `sentFrom`, `sentUntil` or `all`; `dryRun`; `after`
 * @throws the errors of `callRpc`, if the first step failed
 */
export function resendWebhooks(
  client: SupabaseClient,
  selection: object,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  return takeSteps(client, "messenger_resend_webhooks", toArguments(selection), limits);
}
