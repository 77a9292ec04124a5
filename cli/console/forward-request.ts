/** Passes requests of the page on to the management API, with the secret key, which never comes back. */

import { CommandError, EXIT } from "../errors.ts";

/** The project that requests are passed on to. */
export interface Upstream {
  readonly url: string;
  readonly secretKey: string;
  /** The beginning of the functions' names, with its hyphen; empty by default. */
  readonly prefix: string;
}

/** A request of the page. */
export interface PageRequest {
  readonly method: string;
  /** Path and query behind `/api`. */
  readonly target: string;
  readonly contentType: string | undefined;
  readonly body: Uint8Array | undefined;
  /** Aborted where the page has given the request up. */
  readonly signal: AbortSignal;
}

/** An answer for the page. */
export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A change of many messages runs for up to 10 s, and its last step may take another 10 s. */
const TIMEOUT_MS = 60_000;
/** Headers of an answer that the page needs. */
const PASSED_ON = ["content-type", "retry-after"];
const METHODS = new Set(["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]);

/**
 * Where a target leads, as a URL below the function messenger.
 * @returns null for a path that would leave the function, whichever way it is written
 */
export function resolveTarget({ url, prefix }: Upstream, target: string): URL | null {
  const base = `${url.replace(/\/+$/, "")}/functions/v1/${prefix}messenger`;
  const [path = "", ...query] = target.split("?");
  // Of all ids and names of the API a lane alone has a slash in it, `reports/acme`. A gateway might decode it, and dot
  // segments.
  const decoded = path.replace(/^(\/queues\/[\w.:-]+)%2f/i, "$1/");
  if (/%(2f|5c|00)|\\|(^|\/)(\.|%2e){1,2}(\/|$)|\/\//i.test(decoded)) return null;
  const resolved = new URL(`${base}${path}${query.length > 0 ? `?${query.join("?")}` : ""}`);
  const root = new URL(base).pathname;
  return resolved.pathname === root || resolved.pathname.startsWith(`${root}/`) ? resolved : null;
}

/** Passes a request on. A failure on the way is an answer as well. */
export async function forwardRequest(
  upstream: Upstream,
  { method, target, contentType, body, signal }: PageRequest,
): Promise<PageAnswer> {
  const url = METHODS.has(method) ? resolveTarget(upstream, target) : null;
  if (!url) return problem(404, "not_found", "There is no such path.");
  try {
    const response = await fetch(url, {
      method,
      // A redirect would carry the key to wherever it leads.
      redirect: "manual",
      headers: {
        apikey: upstream.secretKey,
        accept: "application/json, text/plain",
        ...(body && { "content-type": contentType ?? "application/json" }),
      },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      ...(body && { body: new Uint8Array(body) }),
    });
    return await toAnswer(response, upstream);
  } catch (error) {
    const reason = reasonOf(error);
    const words = reason.includes(upstream.secretKey) ? "the request cannot be made" : reason;
    return problem(502, "unreachable", `${upstream.url} cannot be reached: ${words}`);
  }
}

async function toAnswer(response: Response, { secretKey }: Upstream): Promise<PageAnswer> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (response.status >= 300 && response.status < 400) {
    return problem(502, "unreachable", `The request met a redirect (HTTP ${response.status}).`);
  }
  if (new TextDecoder().decode(bytes).includes(secretKey)) {
    return problem(502, "kept_back", "The answer held the secret key, and was kept back.");
  }
  const headers = PASSED_ON.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [[name, value] as const];
  });
  // The key is refused: signing in would not help, so that the page gets another status.
  if (response.status === 401) {
    return problem(
      502,
      "key_refused",
      "The project refuses the secret key of the command console.",
    );
  }
  return { status: response.status, headers: Object.fromEntries(headers), body: bytes };
}

/** An answer in the form of the API's errors. */
export function problem(status: number, code: string, message: string): PageAnswer {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: new TextEncoder().encode(JSON.stringify({ code, message })),
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** The error of a port that is in use. */
export function portTaken(port: number): CommandError {
  return new CommandError(
    EXIT.conflict,
    "port_taken",
    `--port: is in use (${port}); give another one, or leave it out`,
  );
}
