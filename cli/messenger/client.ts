/** Calls the functions of the project that the environment names. */

import { ApiError } from "../errors.ts";

/** An answer of the API: its status and its body. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** One request to the management API: a path with its query, and a body unless it is a GET. */
export type Call = (
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: object,
) => Promise<Answer>;

/** The header that each answer of the functions has. */
const VERSION_HEADER = "symphony-version";
// A change of many messages runs for up to 10 s, and its last step may take another 10 s.
const TIMEOUT_MS = 60_000;

/**
 * Makes the client of a project.
 * @param url the project's URL
 * @param secretKey one of its secret keys
 * @param name the function that is called
 */
export function createCall(url: string, secretKey: string, name = "messenger"): Call {
  return async (method, path, body) => {
    const target = `${url.replace(/\/+$/, "")}/functions/v1/${name}${path}`;
    const response = await fetch(target, {
      method,
      headers: { apikey: secretKey, "content-type": "application/json" },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body && { body: JSON.stringify(body) }),
    }).catch((cause) => {
      throw new ApiError(0, "unreachable", `${url} cannot be reached: ${reasonOf(cause)}`, {}, {
        cause,
      });
    });
    const answer: unknown = await response.json().catch(() => null);
    // A gateway or a maintenance page may answer in the function's place, with JSON and success.
    const isOurs = !response.ok || response.headers.has(VERSION_HEADER);
    if (typeof answer !== "object" || answer === null || !isOurs) {
      const message = `HTTP ${response.status} from ${target}: is the function ${name} deployed?`;
      throw new ApiError(502, "no_answer", message);
    }
    if (!response.ok && !("checks" in answer)) throw refusal(response.status, answer);
    return { status: response.status, body: answer as Record<string, unknown> };
  };
}

function refusal(status: number, answer: object): ApiError {
  const { code, message, issues } = answer as Record<string, unknown>;
  // A gateway has its own words.
  const text = typeof message === "string" ? message : `HTTP ${status}: ${JSON.stringify(answer)}`;
  // Where the function is not there, it is the gateway that answers.
  const isOurs = status !== 404 || code === "not_found";
  return new ApiError(
    isOurs ? status : 502,
    typeof code === "string" ? code : "refused",
    text,
    issues === undefined ? {} : { issues },
  );
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${TIMEOUT_MS / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** Entries of a list, and whether there are more behind them. */
export interface Listed {
  readonly entries: readonly Record<string, unknown>[];
  readonly hasMore: boolean;
}

/**
 * Entries of a list, page after page; pages may be short.
 * @param field where the entries stand in the answer
 * @param limit the largest number of entries to return
 */
export async function listAll(
  call: Call,
  path: string,
  field: string,
  query: Readonly<Record<string, string>>,
  limit: number,
): Promise<Listed> {
  const entries: Record<string, unknown>[] = [];
  let cursor: Record<string, string> = {};
  for (;;) {
    const page = String(Math.min(limit - entries.length, 200));
    const search = new URLSearchParams({ ...query, limit: page, ...cursor });
    const { body } = await call("GET", `${path}?${search}`);
    entries.push(...body[field] as Record<string, unknown>[]);
    const hasMore = typeof body.next === "string";
    if (!hasMore || entries.length >= limit) return { entries, hasMore };
    cursor = { cursor: String(body.next) };
  }
}
