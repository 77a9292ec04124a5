/** One call of an SQL function over supabase-js, with a timeout and errors of one kind. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ConflictError, NotFoundError } from "../errors.ts";
import { RateLimitedError } from "../rate-limit.ts";
import { TransportError } from "./transport.ts";

// SQLSTATE classes after which asking again may help: connection, resources, operator, timeout.
const RETRYABLE = /^(08|53|57|PGRST00)|^(40001|40P01|55P03)$/;

/**
 * Calls an SQL function and answers what it answers.
 * @param args its arguments by name; or JSON for the only parameter of a function that has no name for it,
 * which gets it as a JSON string. That is for what is large: supabase-js walks through all of a body that
 * is no string in JavaScript, which takes three times as long as writing it, and PostgREST takes named
 * arguments out of the body before they are read.
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
  const { data, error, status } = await client.rpc(withColumns(name, args), args)
    .abortSignal(AbortSignal.timeout(timeoutMs));
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
function withColumns(name: string, args: Readonly<Record<string, unknown>> | string): string {
  // Of a name that no function has an argument of, PostgREST knows that the body is the argument.
  if (typeof args === "string") return `${name}?columns=body`;
  const names = Object.keys(args).filter((key) => args[key] !== undefined);
  return names.length === 0 ? name : `${name}?columns=${names.join(",")}`;
}
