/** Failures of requests, as classes. `cause` is the error of supabase-js. */

import type { UnstorableError } from "../supabase/functions/_shared/symphony/runtime/json.ts";

/** One problem of a request, and its place. */
export interface Issue {
  /** Names of fields, and positions in arrays. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Properties that all classes have. */
interface Details {
  readonly status: number;
  readonly code: string;
  readonly issues?: readonly Issue[] | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** Passing failures: no answer, timeouts, rate limits, and troubles of gateways and of the platform. */
const RETRYABLE = /^(0|408|425|429|5..)$/;
/** Codes of the bus for failures that only an operator can end. */
const FINAL = /^(internal_error|misconfigured|database_error)$/;

/** Any failure of a request to the bus. */
export class MessengerError extends Error {
  override name = "MessengerError";
  /** HTTP status; 0 if no answer came. */
  readonly status: number;
  /** For programs: `invalid_payload`, `forbidden`, ... (docs/dispatching.md), or `no_answer`. */
  readonly code: string;
  /** Problems of the request; empty if the request was not the cause. */
  readonly issues: readonly Issue[];
  /** When a repeat may pass, in ms; undefined if the answer does not tell. */
  readonly retryAfterMs: number | undefined;
  /** Whether a repeat may pass. A request without an answer may have taken effect: give such a dispatch a key. */
  readonly retryable: boolean;

  constructor(
    message: string,
    { status, code, issues = [], retryAfterMs }: Details,
    cause: unknown,
  ) {
    super(message, { cause });
    this.status = status;
    this.code = code;
    this.issues = issues;
    this.retryAfterMs = retryAfterMs;
    this.retryable = RETRYABLE.test(String(status)) && !FINAL.test(code);
  }
}

/** The request is wrong or too large; `issues` name the places. */
export class InvalidRequestError extends MessengerError {
  override name = "InvalidRequestError";
}

/** No key, a wrong key, or a token that is expired or another project's. */
export class UnauthorizedError extends MessengerError {
  override name = "UnauthorizedError";
}

/** This caller may not dispatch this type, or not choose this option. */
export class ForbiddenError extends MessengerError {
  override name = "ForbiddenError";
}

/** The id is unknown, another user's message, or no longer kept. */
export class NotFoundError extends MessengerError {
  override name = "NotFoundError";
}

/** The request contradicts the current state, such as an idempotency key that belongs to another message. */
export class ConflictError extends MessengerError {
  override name = "ConflictError";
}

/** A rate limit is reached; `retryAfterMs` is the time until the next allowed request. */
export class RateLimitedError extends MessengerError {
  override name = "RateLimitedError";
}

/** No answer came, or the server reports a failure that may pass. */
export class UnavailableError extends MessengerError {
  override name = "UnavailableError";
}

const CLASSES: Readonly<Record<number, typeof MessengerError>> = {
  0: UnavailableError,
  400: InvalidRequestError,
  401: UnauthorizedError,
  403: ForbiddenError,
  404: NotFoundError,
  408: UnavailableError,
  409: ConflictError,
  413: InvalidRequestError,
  415: InvalidRequestError,
  429: RateLimitedError,
};

/** Makes the error for a failure of supabase-js: one with a status, or one without an answer. */
export async function toMessengerError(cause: unknown): Promise<MessengerError> {
  const response = (cause as { context?: Partial<Response> }).context as Response;
  if (!response?.status) {
    return new UnavailableError("No answer came", { status: 0, code: "no_answer" }, cause);
  }
  const { status, headers } = response;
  // Gateways and proxies answer in other formats.
  const body: Partial<Record<"message" | "code", unknown>> & { issues?: readonly Issue[] } =
    await response.json().catch(() => null) ?? {};
  const seconds = parseFloat(headers.get("retry-after") ?? "");
  const code = typeof body.code === "string" ? body.code : `http_${status}`;
  const isPassing = status >= 500 && !FINAL.test(code);
  const Class = CLASSES[status] ?? (isPassing ? UnavailableError : MessengerError);
  return new Class(String(body.message ?? `HTTP ${status}`), {
    status,
    code,
    issues: body.issues,
    retryAfterMs: seconds >= 0 ? seconds * 1_000 : undefined,
  }, cause);
}

/** Makes the error for a payload that JSON would change. */
export function refusedPayload(cause: UnstorableError, path: Issue["path"]): InvalidRequestError {
  const issue = { path: [...path, "payload", ...cause.path], message: cause.message };
  return new InvalidRequestError(
    `${issue.path.join(".")}: ${issue.message}`,
    { status: 400, code: "invalid_payload", issues: [issue] },
    cause,
  );
}
