/** Calls one SQL function over supabase-js, with a timeout and errors of one kind. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ConflictError, NotFoundError } from "../message/errors.ts";
import { RateLimitedError } from "../message/rate-limit.ts";
import { isResultOf } from "./result-checks.ts";
import { faultOf, isWrittenByPostgrest, raisedWithStatus } from "./fault.ts";
import { TransportError } from "../transport/transport.ts";

/** Longest part of a proxy's text in an error, in characters. */
const LONGEST_FOREIGN_TEXT = 200;

/**
 * Functions that get ids, keys and numbers of the library's own, and no content of a message. If a value is refused,
 * such as an id that a sequence gives twice, the database is at fault, and no message.
 */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set([
  "messenger_batch_results",
  "messenger_begin_webhook",
  "messenger_load_steps",
  "messenger_read_events",
  "messenger_reserve_ids",
  "messenger_webhook_secrets",
]);

/**
 * Calls an SQL function and returns its result.
 * @param args arguments by name; or JSON text, which is sent unchanged to a function with one unnamed
 * parameter. Large arguments are sent this way, because PostgREST then does not parse them
 * @param timeoutMs longest time of the call
 * @throws RateLimitedError if a rate limit is reached (SQLSTATE PT429)
 * @throws RangeError with the function's own text if it refuses an argument (SQLSTATE PT4xx);
 * NotFoundError for PT404, ConflictError for PT409
 * @throws TransportError for every other failure
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
    // A response that was cut off is no JSON.
    (cause) => ({ data: null, error: { code: "", message: String(cause), details: "" } }),
  );
  if (!error) {
    if (isResultOf(name, data)) return data as Answer;
    const text = `HTTP success, not from PostgREST: ${JSON.stringify(data)}`;
    throw new TransportError(name, text.slice(0, LONGEST_FOREIGN_TEXT), true, { fault: "passing" });
  }
  throw errorOf(name, error, timeout.aborted ? "too_much" : undefined);
}

/** An error of PostgREST or Postgres. */
export interface SqlError {
  readonly code: string;
  readonly message: string;
  readonly details: string;
}

/**
 * Makes the error of a call that has failed.
 * @param operation name of the call
 * @param given by default the meaning of the code
 * @returns what {@link callRpc} throws for it
 */
export function errorOf(operation: string, error: SqlError, given = faultOf(error)): Error {
  const { code, message, details } = error;
  const fault = given === "data" && WITHOUT_CONTENT.has(operation) ? "passing" : given;
  if (code === "PT404") return new NotFoundError(message, { cause: error });
  if (code === "PT409") return new ConflictError(message, { cause: error });
  if (code === "PT429") {
    return new RateLimitedError(message, Number(details) || 0, { cause: error });
  }
  if (/^PT4\d\d$/.test(code)) return new RangeError(message, { cause: error });
  const retryable = fault === "passing" || fault === "too_much";
  return new TransportError(operation, message, retryable, { cause: error, fault });
}

/**
 * Names the arguments in the query too. PostgREST then passes the body on unread, instead of parsing it to
 * find the names. (`columns`: https://docs.postgrest.org, "Specifying Columns"; it works for calls of
 * functions too.)
 */
function withColumns(name: string, args: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(args).filter((key) => args[key] !== undefined);
  return names.length === 0 ? name : `${name}?columns=${names.join(",")}`;
}

/**
 * Makes a client for one call that accepts only PostgREST's own responses. supabase-js reads a proxy's empty
 * 404 as success, and a proxy's error page as a refusal.
 * @param body replaces the call's own body: supabase-js writes JSON with a function that runs for each
 * value, which takes three times as long, 1 µs more a message
 */
function checked(client: SupabaseClient, body?: string) {
  const rest = client.schema("public");
  const send = rest.fetch ?? fetch;
  rest.fetch = async (url, init) =>
    ofPostgrest(await send(url, body === undefined ? init : { ...init, body }));
  return rest;
}

/** @throws Error if the response is not PostgREST's; supabase-js treats it as a network error */
async function ofPostgrest(response: Response): Promise<Response> {
  const { ok, status, headers } = response;
  const isJson = headers.get("content-type")?.includes("json") === true;
  if (status === 204 || ok && isJson && headers.get("content-length") !== "0") return response;
  const text = await response.text();
  const error = isJson && !ok ? parsed(text) : null;
  if (isWrittenByPostgrest(error)) return new Response(text, { status, headers });
  const raised = raisedWithStatus(error, status);
  if (raised) return Response.json(raised, { status });
  throw new Error(`HTTP ${status}, not from PostgREST: ${text.slice(0, LONGEST_FOREIGN_TEXT)}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
