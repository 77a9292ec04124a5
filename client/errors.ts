/** What went wrong, as classes. `cause` is the error that supabase-js answered. */

import type { UnstorableError } from "../supabase/functions/_shared/symphony/runtime/json.ts";

/** One thing that is wrong with a request, and where. */
export interface Issue {
  /** Names of fields, and positions in arrays. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What the classes have in common. */
interface Details {
  readonly status: number;
  readonly code: string;
  readonly issues?: readonly Issue[] | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** No answer, timeouts, rate limits, and what gateways, the platform and the bus call a passing trouble. */
const RETRYABLE = /^(0|408|425|429|5..)$/;
/** What the bus says of itself where only somebody else can help. */
const FINAL = /^(internal_error|misconfigured|database_error)$/;

/** Any failure of a request to the bus. */
export class MessengerError extends Error {
  override name = "MessengerError";
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** For programs: `invalid_payload`, `forbidden`, ... (docs/dispatching.md), or `no_answer`. */
  readonly code: string;
  /** What is wrong with the request; empty where that was not it. */
  readonly issues: readonly Issue[];
  /** When asking again may help, in ms; undefined where the answer does not say. */
  readonly retryAfterMs: number | undefined;
  /** Whether asking again may help. What was not answered may be done: give such a dispatch a key. */
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

/** The request is wrong, or too large; `issues` say where. */
export class InvalidRequestError extends MessengerError {
  override name = "InvalidRequestError";
}

/** No key, a wrong one, or a token that is expired or not this project's. */
export class UnauthorizedError extends MessengerError {
  override name = "UnauthorizedError";
}

/** This caller may not dispatch this type, or not choose this option. */
export class ForbiddenError extends MessengerError {
  override name = "ForbiddenError";
}

/** No message of the caller's has this id, or it is remembered no longer. */
export class NotFoundError extends MessengerError {
  override name = "NotFoundError";
}

/** It goes against what is there: an idempotency key that stands for a message with other content. */
export class ConflictError extends MessengerError {
  override name = "ConflictError";
}

/** A rate limit is reached; `retryAfterMs` says for how long. */
export class RateLimitedError extends MessengerError {
  override name = "RateLimitedError";
}

/** No answer came, or one that says that the server is in trouble and may be out of it soon. */
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

/** The error for what supabase-js answered: one of a status, or none because no answer came. */
export async function toMessengerError(cause: unknown): Promise<MessengerError> {
  const response = (cause as { context?: Partial<Response> }).context as Response;
  if (!response?.status) {
    return new UnavailableError("No answer came", { status: 0, code: "no_answer" }, cause);
  }
  const { status, headers } = response;
  // Gateways and proxies answer in forms of their own.
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

/** The error for a payload that JSON would change on its way. */
export function refusedPayload(cause: UnstorableError, path: Issue["path"]): InvalidRequestError {
  const issue = { path: [...path, "payload", ...cause.path], message: cause.message };
  return new InvalidRequestError(
    `${issue.path.join(".")}: ${issue.message}`,
    { status: 400, code: "invalid_payload", issues: [issue] },
    cause,
  );
}
