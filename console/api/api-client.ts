/** The management API, with the types of its OpenAPI document. */

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./openapi.gen.ts";
import { ofRelease, problemOf, toProblem } from "./api-problem.ts";

/** The API's objects by the names that docs/openapi.json gives them. */
export type Schemas = components["schemas"];

/** openapi-fetch's client: `api.GET("/queues", { params: { query: { limit: 50 } }, signal })`. */
export type Api = Client<paths>;

/** Longest wait for an answer to a GET, in ms. */
const READ_TIMEOUT_MS = 15_000;
/** A change of many messages works for up to 10 s, and its last step may take another 10 s. */
const CHANGE_TIMEOUT_MS = 60_000;

/** How requests reach the API. */
export interface Target {
  /** The function's address, without a slash at its end. */
  readonly baseUrl: string;
  /** Headers of each request; asked again for each, for tokens expire. */
  readonly headers: () => Promise<Record<string, string>>;
}

/** Makes the client. */
export function createApi({ baseUrl, headers }: Target): Api {
  return createClient<paths>({
    baseUrl,
    fetch: async (request) => {
      const signal = AbortSignal.any([
        request.signal,
        AbortSignal.timeout(request.method === "GET" ? READ_TIMEOUT_MS : CHANGE_TIMEOUT_MS),
      ]);
      // Auth may renew the token first, or wait for another tab that does.
      const own = await within(headers(), signal);
      const asked = new Request(request, { cache: "no-store", signal });
      for (const [name, value] of Object.entries(own)) asked.headers.set(name, value);
      return await fetch(asked);
    },
  });
}

/** Waits no longer than the signal allows. @throws the signal's reason */
async function within<Value>(value: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: ended, reject } = Promise.withResolvers<never>();
  const end = () => reject(signal.reason);
  if (signal.aborted) end();
  signal.addEventListener("abort", end, { once: true });
  try {
    return await Promise.race([value, ended]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** The result of a call of openapi-fetch. */
interface Result<Data> {
  readonly data?: Data;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * The answer's body.
 * @param accepts a status besides the 2xx whose body is an answer and no problem, such as 503 of `/health`
 * @throws ApiProblem
 * @example const { queues } = await answerOf(api.GET("/queues", { params: { query: {} }, signal }));
 */
export async function answerOf<Data>(call: Promise<Result<Data>>, accepts?: number): Promise<Data> {
  const { data, error, response } = await call.catch((error: unknown) => {
    // A request that the page itself gave up is no problem of the API's.
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw toProblem(error);
  });
  if (response.ok) return data as Data;
  if (response.status === accepts && typeof error === "object" && error && "checks" in error) {
    return error as Data;
  }
  throw ofRelease(problemOf(response.status, error), response.url);
}
