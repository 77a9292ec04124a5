/** Calls the management API of the project that the environment names. */

/** What the API answered, with its status where that says something. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** One request: a path with its query, and a body unless it is a GET. */
export type Call = (
  method: "GET" | "POST" | "PATCH" | "DELETE",
  path: string,
  body?: object,
) => Promise<Answer>;

/** The API refused, or did not answer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
}

/**
 * Makes the client of a project.
 * @param url the project's URL
 * @param secretKey one of its secret keys
 */
export function createCall(url: string, secretKey: string): Call {
  return async (method, path, body) => {
    const response = await fetch(`${url.replace(/\/$/, "")}/functions/v1/messenger${path}`, {
      method,
      headers: { apikey: secretKey, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json().catch(() => null);
    if (typeof answer !== "object" || answer === null) {
      throw new ApiError(`HTTP ${response.status}: is the function messenger deployed?`);
    }
    const { message } = answer as { message?: unknown };
    if (!response.ok && typeof message === "string") throw new ApiError(message);
    return { status: response.status, body: answer as Record<string, unknown> };
  };
}

/**
 * Entries of a list, page after page; pages may be short.
 * @param field where the entries stand in the answer
 * @param limit at most so many
 */
export async function listAll(
  call: Call,
  path: string,
  field: string,
  query: Readonly<Record<string, string>>,
  limit: number,
): Promise<Record<string, unknown>[]> {
  const entries: Record<string, unknown>[] = [];
  let cursor: Record<string, string> = {};
  for (;;) {
    const page = String(Math.min(limit - entries.length, 200));
    const search = new URLSearchParams({ ...query, limit: page, ...cursor });
    const { body } = await call("GET", `${path}?${search}`);
    entries.push(...body[field] as Record<string, unknown>[]);
    if (typeof body.next !== "string" || entries.length >= limit) return entries;
    cursor = { cursor: body.next };
  }
}
