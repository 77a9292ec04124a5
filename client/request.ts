/** A request to the bus, repeated where that can do no harm. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { RateLimitedError, toMessengerError } from "./errors.ts";
import { MAX_RETRY_MS, retryDelay } from "./times.ts";

/** What the client needs of supabase-js, whatever the types of the database are. */
export type Supabase = Pick<
  SupabaseClient,
  "auth" | "channel" | "functions" | "realtime" | "removeChannel"
>;

/** A request, and how it may be repeated. */
export interface MessengerRequest {
  readonly path: string;
  /** GET where absent; POST with a body. */
  readonly method?: "GET" | "DELETE";
  /** Sent as JSON by POST. */
  readonly body?: unknown;
  /** Whether a second one changes nothing; else only what was refused is repeated. */
  readonly idempotent?: boolean;
  /** How often it is repeated at most. */
  readonly retries: number;
  readonly signal?: AbortSignal | undefined;
}

/** How long an answer may take. */
const TIMEOUT_MS = 30_000;

/**
 * Asks the bus and answers what it answers.
 * @throws MessengerError of the class that says what went wrong
 * @throws the signal's reason once it is aborted
 */
export async function request<Answer>(
  supabase: Supabase,
  { path, method = "GET", body, idempotent, retries, signal }: MessengerRequest,
): Promise<Answer> {
  const options = {
    timeout: TIMEOUT_MS,
    ...(signal && { signal }),
    ...(body === undefined
      ? { method }
      : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  };
  for (let retry = 0;; retry++) {
    signal?.throwIfAborted();
    const { data, error } = await supabase.functions.invoke(path, options);
    if (!error) return data;
    signal?.throwIfAborted();
    const problem = await toMessengerError(error);
    // What is refused for its rate was not written; of what was not answered nobody knows.
    const isRepeatable = problem instanceof RateLimitedError || idempotent && problem.retryable;
    const delayMs = Math.max(retryDelay(retry, Math.random()), problem.retryAfterMs ?? 0);
    if (!isRepeatable || retry >= retries || delayMs > MAX_RETRY_MS) throw problem;
    await pause(delayMs, signal);
  }
}

/**
 * Waits, at most until what it hands to `onStart` is called.
 * @throws the signal's reason once it is aborted
 */
export function pause(
  ms: number,
  signal?: AbortSignal,
  onStart?: (end: () => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      signal?.aborted ? reject(signal.reason) : resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    if (signal?.aborted) end();
    onStart?.(end);
  });
}
