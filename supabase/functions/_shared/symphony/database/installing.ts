/** SQL's setup: the rows, cron jobs and secrets of the bus. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { callRpc } from "./rpc.ts";

const TIMEOUT_MS = 10_000;

/** The result of a setup. */
export interface SetupResult {
  readonly changed: boolean;
  /** Queues that were made. */
  readonly queues: string[];
  /** The outcome for each cron job, by its name. */
  readonly jobs: Record<string, "created" | "kept" | "repaired" | "of another user">;
  /** Names of the secrets that were written. */
  readonly secrets: string[];
  /** Names of the default alerts that were made. */
  readonly alerts?: string[];
  /** Cron jobs that are still not as they have to be. */
  readonly problems: { name: string; problem: string }[];
}

/**
 * Makes what is missing.
 * @param options.url where the database reaches the functions
 * @param options.secretKey the key for the tick
 * @param options.repair whether cron jobs are switched on, and those of other commands made ours
 * @throws the errors of `callRpc`
 */
export async function setUp(
  client: SupabaseClient,
  { url, secretKey, repair }: {
    readonly url: string;
    readonly secretKey: string;
    readonly repair: boolean;
  },
): Promise<SetupResult> {
  const args = { url, secret_key: secretKey, repair };
  return await callRpc<SetupResult>(client, "messenger_setup", args, TIMEOUT_MS);
}

/** Asks for a tick as pg_cron does. @throws the errors of `callRpc` */
export async function askForTick(client: SupabaseClient): Promise<void> {
  await callRpc(client, "messenger_tick", {}, TIMEOUT_MS);
}
