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
  return names.map((name) => {
    const secret = found[name];
    if (secret === undefined) {
      throw new MissingSecretError(`secrets: Vault has no secret named ${name}`);
    }
    return secret;
  });
}
