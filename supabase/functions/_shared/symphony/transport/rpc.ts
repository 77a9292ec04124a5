/** One call of an SQL function over supabase-js, with a timeout and errors of one kind. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ConflictError, NotFoundError } from "../errors.ts";
import { RateLimitedError } from "../rate-limit.ts";
import { TransportError } from "./transport.ts";

// SQLSTATE classes after which asking again may help: connection, resources, operator, timeout.
const RETRYABLE = /^(08|53|57|PGRST00)|^(40001|40P01|55P03)$/;

/**
 * Calls an SQL function and answers what it answers.
 * @param args its arguments by name; or JSON, which is sent as it is, for a function whose only parameter
 * has no name. That is for what is large: nobody takes it apart then but the function
 * @param timeoutMs how long the call may take
 * @throws RateLimitedError where the function finds a rate limit reached (SQLSTATE PT429)
 * @throws RangeError with the function's own words, where it refuses an argument (SQLSTATE PT4xx);
 * NotFoundError for PT404, ConflictError for PT409
 * @throws TransportError for everything else
 */
export async function callRpc<Answer>(
  client: SupabaseClient,
  name: string,
  args: Readonly<Record<string, unknown>> | string,
  timeoutMs: number,
): Promise<Answer> {
  const call = typeof args === "string"
    ? sendingAsIs(client, args).rpc(`${name}?columns=body`, {})
    : client.rpc(withColumns(name, args), args);
  const { data, error, status } = await call.abortSignal(AbortSignal.timeout(timeoutMs));
  if (!error) return data as Answer;
  if (error.code === "PT404") throw new NotFoundError(error.message, { cause: error });
  if (error.code === "PT409") throw new ConflictError(error.message, { cause: error });
  if (error.code === "PT429") {
    throw new RateLimitedError(error.message, Number(error.details), { cause: error });
  }
  if (/^PT4\d\d$/.test(error.code)) throw new RangeError(error.message, { cause: error });
  const retryable = status === 0 || status >= 500 || status === 429 || RETRYABLE.test(error.code);
  throw new TransportError(name, error.message || `HTTP ${status}`, retryable, { cause: error });
}

/**
 * Names the arguments in the query as well: then PostgREST passes the body on as it is, instead of
 * reading through all of it to find them. (`columns`: https://docs.postgrest.org, "Specifying Columns";
 * it holds for calls of functions too.)
 */
function withColumns(name: string, args: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(args).filter((key) => args[key] !== undefined);
  return names.length === 0 ? name : `${name}?columns=${names.join(",")}`;
}

/**
 * The client with this body instead of the one that a call gives it: supabase-js writes JSON with a
 * function that it calls for each value, which takes three times as long.
 */
function sendingAsIs(client: SupabaseClient, body: string) {
  const rest = client.schema("public");
  const send = rest.fetch ?? fetch;
  rest.fetch = (url, init) => send(url, { ...init, body });
  return rest;
}
