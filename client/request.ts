/** A request to the bus, which is repeated if a repeat is harmless. */

import { MessengerError, noAnswer, toMessengerError } from "./errors.ts";
import { checked } from "./given.ts";
import { userOf } from "./session.ts";
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

/** How a request is sent, and how it may be repeated. */
export interface Sending {
  /** Default: GET, or POST if there is a body. */
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  /** JSON. */
  readonly body?: string | undefined;
  /**
   * `never`: it is sent once, whatever the client's options say, since its caller asks again. `refused`: a second
   * request may change something, so that only one that a rate limit refused is repeated.
   */
  readonly repeats?: "never" | "refused" | false | undefined;
}

/** Longest wait for an answer, in ms. */
const TIMEOUT_MS = 30_000;
/** The same for a request that is not repeated here: its caller asks again. */
const ONCE_TIMEOUT_MS = 10_000;
/** Longest wait that a server may ask for, in ms. */
const MAX_WAIT_MS = 60_000;

/**
 * Sends requests for one client.
 * @param path the part of the path after the name of the function
 * @param brings a property of each answer
 */
export type Requester = <Answer>(
  path: string,
  brings: string,
  options?: Abortable,
  sending?: Sending,
) => Promise<Answer>;

/**
 * Makes the function that sends requests and returns the answers' bodies. It throws a MessengerError, or the
 * signal's reason after the signal is aborted.
 */
export function requester(supabase: FunctionsLike, options: RequestOptions): Requester {
  const { retries = 3, onWait, prefix = "" } = checked(options);
  checked(supabase?.functions, "supabase.functions");
  const waitsForLimits = onWait || options.retries;
  return async <Answer>(
    path: string,
    brings: string,
    options: Abortable = {},
    { body, method = body ? "POST" : "GET", repeats }: Sending = {},
  ): Promise<Answer> => {
    const { signal } = checked(options);
    for (let retry = 0;; retry++) {
      signal?.throwIfAborted();
      const giveUp = new AbortController();
      // The wait has an end, also where supabase-js waits before it sends anything, such as for a new token.
      const answer = await within<unknown>(
        repeats === "never" ? ONCE_TIMEOUT_MS : TIMEOUT_MS,
        signal,
        noAnswer,
        supabase.functions.invoke(`${prefix}dispatch${path}`, {
          ...{ method, signal: giveUp.signal },
          ...(body && { body, headers: { "content-type": "application/json" } }),
        }).then(({ data, error }) =>
          // A page of a hotel's network may answer in the function's place.
          error
            ? explain(supabase, error)
            : Object(data)[brings] === undefined
            ? noAnswer(data)
            : data
        ),
      ).finally(() => giveUp.abort());
      if (!(answer instanceof MessengerError)) return answer as Answer;
      const { code, retryAfterMs = 0, retryable } = answer;
      // A request that a rate limit refused was not written. Without an answer the client cannot tell.
      const mayRepeat = code === "rate_limited" ? waitsForLimits : !repeats && retryable;
      if (repeats === "never" || !mayRepeat || retry >= retries || retryAfterMs > MAX_WAIT_MS) {
        throw answer;
      }
      const delayMs = retryDelay(retry, answer.retryAfterMs, Math.random());
      onWait?.(delayMs);
      await within(delayMs, signal, () => {});
    }
  };
}

/** Says what a failure means: without a user, a refusal asks for one. */
async function explain(supabase: FunctionsLike, error: unknown): Promise<MessengerError> {
  const problem = await toMessengerError(error);
  const asksForUser = problem.code === "forbidden" && await userOf(supabase) === null;
  return asksForUser ? Object.assign(problem, { code: "signed_out" }) : problem;
}
