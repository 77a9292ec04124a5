/** A request to the bus, which is repeated if a repeat is harmless. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { RateLimitedError, toMessengerError } from "./errors.ts";
import { MAX_RETRY_MS, retryDelay } from "./times.ts";

/** The part of supabase-js that the client uses, for any database types. */
export type Supabase = Pick<
  SupabaseClient,
  "auth" | "channel" | "functions" | "realtime" | "removeChannel"
>;

/** A request, and how it may be repeated. */
export interface MessengerRequest {
  readonly path: string;
  /** Default: GET, or POST if there is a body. */
  readonly method?: "GET" | "DELETE";
  /** Sent as JSON by POST. */
  readonly body?: unknown;
  /** Whether a second request changes nothing. If not, only refused requests are repeated. */
  readonly idempotent?: boolean;
  /** Largest number of repeats. */
  readonly retries: number;
  readonly signal?: AbortSignal | undefined;
}

/** Longest wait for an answer, in ms. */
const TIMEOUT_MS = 30_000;

/**
 * Sends a request and returns the answer's body.
 * @throws MessengerError of the class that names the failure
 * @throws the signal's reason after it is aborted
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
    // A request that a rate limit refused was not written. Without an answer the client cannot tell.
    const isRepeatable = problem instanceof RateLimitedError || idempotent && problem.retryable;
    const delayMs = Math.max(retryDelay(retry, Math.random()), problem.retryAfterMs ?? 0);
    if (!isRepeatable || retry >= retries || delayMs > MAX_RETRY_MS) throw problem;
    await pause(delayMs, signal);
  }
}

/**
 * Waits. A call of the function that `onStart` receives ends the wait.
 * @throws the signal's reason after it is aborted
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
