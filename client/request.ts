/** A request to the bus, which is repeated if a repeat is harmless. */

import { invalid, isMessengerError, toMessengerError } from "./errors.ts";
import { checked } from "./given.ts";
import { exactJson } from "./json.ts";
import type { FunctionsLike } from "./supabase.ts";
import { retryDelay } from "./times.ts";
import { within } from "./within.ts";

/** How a client sends its requests. */
export interface RequestOptions {
  /**
   * Largest number of repeats of a request that failed for a passing reason; default: 3. If it is given, requests
   * that a rate limit refuses are repeated too.
   */
  readonly retries?: number | undefined;
  /**
   * Called before each wait, with its length in ms, for example to show it. If it is given, a request that a
   * rate limit refuses waits and is repeated; else it fails at once.
   */
  readonly onWait?: ((ms: number) => void) | undefined;
  /** The prefix of the functions' names that `init --prefix` was given, such as `bus-`; default: none. */
  readonly prefix?: string | undefined;
}

/** An option of every request. */
export interface Abortable {
  /** Ends the wait for the answer. A request that was sent may take effect all the same. */
  readonly signal?: AbortSignal | undefined;
}

/** Longest wait for an answer, in ms. */
const TIMEOUT_MS = 30_000;
/** Longest wait that a server may ask for, in ms. */
const MAX_WAIT_MS = 60_000;

type Method = "GET" | "POST" | "PATCH" | "DELETE";

/**
 * Sends requests for one client.
 * @param path the part of the path after the name of the function, or its promise
 * @param brings a property of each answer
 * @param method default: GET
 * @param body JSON has to keep all of it
 * @param isOnce whether a second request may change something, so that only one that a rate limit refused is repeated
 */
export type Requester = <Answer>(
  path: string | Promise<string>,
  brings: string,
  options?: Abortable,
  method?: Method,
  body?: object,
  isOnce?: boolean,
) => Promise<Answer>;

/**
 * Makes the function that sends requests and returns the answers' bodies. It throws a MessengerError, or the
 * signal's reason after the signal is aborted.
 * @param timeoutMs longest wait for an answer
 * @throws MessengerError `invalid` for an option that does not exist
 */
export function requester(
  supabase: FunctionsLike,
  { retries, onWait, prefix = "", ...others }: RequestOptions,
  timeoutMs: number = TIMEOUT_MS,
): Requester {
  for (const name of Object.keys(others)) throw invalid([name], "no such option");
  checked(supabase?.functions, "supabase.functions");
  return async <Answer>(
    path: string | Promise<string>,
    brings: string,
    options: Abortable = {},
    method: Method = "GET",
    body?: object,
    isOnce?: boolean,
  ): Promise<Answer> => {
    const { signal } = checked(options);
    const name = `${prefix}dispatch${await path}`;
    // Its caller may change it before a repeat.
    const content = body && JSON.parse(exactJson(body));
    for (let retry = 0;; retry++) {
      // The wait has an end, also where supabase-js waits before it sends anything, such as for a new token.
      const answer = await within<unknown>(
        timeoutMs,
        signal,
        async (signal) => {
          const { data, error } = await supabase.functions.invoke(name, {
            ...{ method, signal, body: content },
          });
          // A page of a hotel's network may answer in the function's place.
          return !error && Object(data)[brings] !== undefined
            ? data
            : toMessengerError(error ?? data, supabase);
        },
      ) ?? await toMessengerError();
      if (!isMessengerError(answer)) return answer as Answer;
      const { code, retryable, retryAfterMs } = answer;
      // A request that a rate limit refused was not written. Without an answer the client cannot tell.
      const mayRepeat = code === "rate_limited" ? onWait || retries : !isOnce && retryable;
      const isLong = retryAfterMs as number > MAX_WAIT_MS;
      if (!mayRepeat || isLong || retry >= (retries ?? 3)) throw answer;
      const delayMs = retryDelay(retry, retryAfterMs);
      onWait?.(delayMs);
      await within(delayMs, signal);
    }
  };
}
