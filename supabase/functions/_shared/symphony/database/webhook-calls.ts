/** Calls of webhook deliveries to the database. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { callRpc } from "./rpc.ts";

const TIMEOUT_MS = 5_000;

/** A secret that a webhook call names is not in Vault. Retried as the strategy says, so that it can be added. */
export class MissingSecretError extends Error {
  override readonly name = "MissingSecretError";
}

/**
 * Reads secrets of webhooks from Vault.
 * @param names each begins with `webhook_`
 * @returns their values, in the order of the names
 * @throws MissingSecretError if Vault lacks one, and the errors of `callRpc`
 */
export async function webhookSecrets(
  client: SupabaseClient,
  names: readonly string[],
): Promise<string[]> {
  const found = await callRpc<Readonly<Record<string, string>>>(
    client,
    "messenger_webhook_secrets",
    { names },
    TIMEOUT_MS,
  );
  return pickSecrets(names, found);
}

/**
 * Takes secrets out of those that were found.
 * @throws MissingSecretError if one was not
 */
export function pickSecrets(
  names: readonly string[],
  found: Readonly<Record<string, string>>,
): string[] {
  return names.map((name) => {
    const secret = found[name];
    if (secret === undefined) {
      throw new MissingSecretError(`secrets: Vault has no secret named ${name}`);
    }
    return secret;
  });
}

/** A call that is to be made to an endpoint. */
export interface BegunWebhook {
  readonly url: string;
  readonly event: string;
  readonly data: unknown;
  /** When the event was published, ISO 8601. */
  readonly timestamp: string;
  /** Names of the secrets that sign the call: the current one, and during a rotation the former one. */
  readonly secretNames: readonly string[];
  /** The secrets that Vault has, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Ms until the endpoint's rate allows the call; 0: now. */
  readonly waitMs: number;
}

/** The reason why nothing is sent to an endpoint, and the event's name if it is still known. */
export interface RefusedWebhook {
  readonly refused: string;
  readonly event: string | null;
}

/**
 * Asks what is to be sent to an endpoint, and counts the call against its rate.
 * @throws the errors of `callRpc`
 */
export async function beginWebhook(
  client: SupabaseClient,
  endpoint: string,
  eventId: string,
): Promise<BegunWebhook | RefusedWebhook> {
  const begun = await callRpc<
    | (Omit<BegunWebhook, "secretNames" | "waitMs"> & { secret_names: string[]; wait_ms: number })
    | RefusedWebhook
  >(client, "messenger_begin_webhook", { endpoint, event_id: eventId }, TIMEOUT_MS);
  if ("refused" in begun) return begun;
  const { secret_names, wait_ms, ...rest } = begun;
  return { ...rest, secretNames: secret_names, waitMs: wait_ms };
}

/** An attempt to deliver an event, by the columns of messenger_webhook_deliveries. */
export interface WebhookAttempt {
  readonly endpoint: string;
  readonly event_id: string;
  readonly event: string;
  readonly message_id: string;
  readonly attempt: number;
  readonly delivered: boolean;
  readonly status: number | null;
  readonly duration_ms: number;
  readonly answer: string | null;
  readonly error: string | null;
}

/**
 * Notes an attempt.
 * @returns the reason, if the endpoint was disabled because of it; otherwise undefined
 * @throws the errors of `callRpc`
 */
export async function recordWebhook(
  client: SupabaseClient,
  delivery: WebhookAttempt,
): Promise<string | undefined> {
  const { disabled } = await callRpc<{ disabled?: string }>(
    client,
    "messenger_record_webhook",
    { delivery },
    TIMEOUT_MS,
  );
  return disabled;
}
