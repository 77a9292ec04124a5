// The way to the Data API, /rest/v1: trades an API key for the JWT that PostgREST knows roles by.
import type { Keys } from "./keys.ts";
import { forward } from "./forward.ts";

/** The signing keys, and PostgREST's address. */
export interface DataApiOptions {
  keys: Keys;
  /** Issuer of the JWTs. */
  issuer: string;
  postgrestUrl: string;
}

const TOKEN_LIFETIME_S = 600;
const ANSWER_TIMEOUT_MS = 150_000;
const PREFIX = "/rest/v1";

/**
 * A handler of requests to /rest/v1/*. A secret key acts as service_role, a publishable key as anon
 * or as the user whose JWT is the bearer; no key or an unknown one is answered 401, as is a secret
 * key from a browser.
 */
export function dataApi(options: DataApiOptions): (request: Request) => Promise<Response> {
  const { keys } = options;
  let token = "";
  let renewAt = 0;
  const serviceToken = async () => {
    if (Date.now() >= renewAt) {
      token = await keys.sign({ role: "service_role" }, options.issuer, TOKEN_LIFETIME_S);
      renewAt = Date.now() + TOKEN_LIFETIME_S * 1000 / 2;
    }
    return token;
  };

  return async (request) => {
    const url = new URL(request.url);
    const isPreflight = request.method === "OPTIONS";
    const apikey = request.headers.get("apikey") ?? url.searchParams.get("apikey");
    url.searchParams.delete("apikey");
    const headers = new Headers(request.headers);
    headers.delete("apikey");

    if (apikey === keys.secretKey) {
      if (request.headers.get("user-agent")?.startsWith("Mozilla/")) {
        return unauthorized("Forbidden use of secret API key in browser");
      }
      headers.set("authorization", `Bearer ${await serviceToken()}`);
    } else if (apikey === keys.publishableKey) {
      // supabase-js repeats the key as the bearer when no user is signed in.
      if (headers.get("authorization") === `Bearer ${apikey}`) headers.delete("authorization");
    } else if (!isPreflight) {
      return unauthorized(apikey === null ? "No API key found in request" : "Invalid API key");
    }

    const target = options.postgrestUrl + (url.pathname.slice(PREFIX.length) || "/") + url.search;
    const response = await forward(request, target, ANSWER_TIMEOUT_MS, headers);
    if (typeof response !== "string") return response;
    const status = response === "timeout" ? 504 : 503;
    return Response.json({ message: "The Data API does not answer" }, { status });
  };
}

function unauthorized(message: string): Response {
  return Response.json({ message }, { status: 401 });
}
