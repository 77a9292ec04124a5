/** One call of an SQL function over supabase-js, with a timeout and errors of one kind. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ConflictError, NotFoundError } from "../message/errors.ts";
import { RateLimitedError } from "../message/rate-limit.ts";
import { faultOf, isWrittenByPostgrest } from "./fault.ts";
import { TransportError } from "../transport/transport.ts";

/** So much of what a proxy says in PostgREST's place is told. */
const LONGEST_FOREIGN_TEXT = 200;

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
  const timeout = AbortSignal.timeout(timeoutMs);
  const call = typeof args === "string"
    ? checked(client, args).rpc(`${name}?columns=body`, {})
    : checked(client).rpc(withColumns(name, args), args);
  const { data, error } = await call.abortSignal(timeout).then(
    (answer) => answer,
    // What is no JSON after all: an answer that was cut off.
    (cause) => ({ data: null, error: { code: "", message: String(cause), details: "" } }),
  );
  if (!error) return data as Answer;
  if (error.code === "PT404") throw new NotFoundError(error.message, { cause: error });
  if (error.code === "PT409") throw new ConflictError(error.message, { cause: error });
  if (error.code === "PT429") {
    throw new RateLimitedError(error.message, Number(error.details), { cause: error });
  }
  if (/^PT4\d\d$/.test(error.code)) throw new RangeError(error.message, { cause: error });
  const fault = timeout.aborted ? "too_much" : faultOf(error);
  const retryable = fault === "passing" || fault === "too_much";
  throw new TransportError(name, error.message, retryable, { cause: error, fault });
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
 * The client, for one call, which takes only PostgREST's own answers: supabase-js reads a proxy's empty 404
 * as success, and its pages as refusals.
 * @param body instead of the one that the call gives: supabase-js writes JSON with a function that it
 * calls for each value, which takes three times as long
 */
function checked(client: SupabaseClient, body?: string) {
  const rest = client.schema("public");
  const send = rest.fetch ?? fetch;
  rest.fetch = async (url, init) =>
    ofPostgrest(await send(url, body === undefined ? init : { ...init, body }));
  return rest;
}

/** @throws Error where the response is not PostgREST's, which supabase-js takes for one of the network */
async function ofPostgrest(response: Response): Promise<Response> {
  const { ok, status, headers } = response;
  const isJson = headers.get("content-type")?.includes("json") === true;
  if (status === 204 || ok && isJson && headers.get("content-length") !== "0") return response;
  const text = await response.text();
  if (!ok && isJson && isWrittenByPostgrest(parsed(text))) {
    return new Response(text, { status, headers });
  }
  throw new Error(`HTTP ${status}, not from PostgREST: ${text.slice(0, LONGEST_FOREIGN_TEXT)}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
