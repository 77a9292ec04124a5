/** Failures, as one class with a code. */

import { userOf } from "./session.ts";
import type { FunctionsLike } from "./supabase.ts";

/** One problem of a request, and its place. */
export interface Issue {
  /** Names of fields, and positions in arrays. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/**
 * The kind of a failure.
 * - `signed_out`: no user is signed in, or the session has ended
 * - `forbidden`: this user may not dispatch this type, or not choose this option
 * - `not_found`: the id is unknown, another user's, or no longer kept
 * - `not_remembered`: this client has seen the message; it is finished, and its type is not kept
 * - `invalid`: the request is wrong or too large; `issues` name the places
 * - `conflict`: the request contradicts the current state
 * - `rate_limited`: `retryAfterMs` is the time until the next allowed request
 * - `offline`: the browser has no connection
 * - `unavailable`: no answer came, the token cannot be renewed now, or the server reports a failure that may pass
 * - `internal`: only an operator can help
 * - `aborted`: the caller's signal ended a dispatch that has a key; `cause` is the reason
 */
export type MessengerErrorCode =
  | "signed_out"
  | "forbidden"
  | "not_found"
  | "not_remembered"
  | "invalid"
  | "conflict"
  | "rate_limited"
  | "offline"
  | "unavailable"
  | "internal"
  | "aborted";

/** Properties of a failure beside its code. */
type Details = { -readonly [Name in keyof MessengerError]?: MessengerError[Name] | undefined };

/** Copies of this library recognize each other's errors by it. */
const MARK = Symbol.for("symphony-messenger.error");

/** Any failure of the client. */
export class MessengerError extends Error {
  declare name: string;
  declare readonly code: MessengerErrorCode;
  /** The server's own code: `invalid_payload`, `unknown_type`, ... (docs/dispatching.md); else the same as `code`. */
  declare readonly detail: string;
  /** HTTP status; 0 if no answer came. */
  declare readonly status: number;
  /** Problems of the request; empty if the request was not the cause. */
  declare readonly issues: readonly Issue[];
  /** When a repeat may pass, in ms; undefined if the answer does not tell. */
  declare readonly retryAfterMs: number | undefined;
  /** Whether a repeat may pass. A request without an answer may have taken effect: repeat a dispatch with its key. */
  declare readonly retryable: boolean;
  /** The key of the dispatch that failed. A repeat with this key makes no second message. */
  declare readonly idempotencyKey?: string;
  /** The keys of a failed `dispatchAll`, in the order of its messages. */
  declare readonly idempotencyKeys?: readonly string[];

  constructor(message: string, code: MessengerErrorCode, details?: Details) {
    super(message);
    Object.assign(
      this,
      {
        name: "MessengerError",
        [MARK]: true,
        code,
        detail: code,
        status: 0,
        issues: [],
        retryable: /^(r|o|una)/.test(code),
      },
      details,
    );
  }

  /** Marks the class, see {@link isMessengerError}. */
  declare readonly [MARK]: true;
}

/** Whether a value is an error of this client. Unlike `instanceof`, it also knows errors of another copy of the library. */
export function isMessengerError(value: unknown): value is MessengerError {
  return !!(value as { [MARK]?: true } | null | undefined)?.[MARK];
}

/** Makes the error for a value that the client refuses before it sends anything. */
export function invalid(path: Issue["path"], message: string, cause?: unknown): MessengerError {
  const place = path.join(".");
  return new MessengerError(`${place}: ${message}`, "invalid", {
    detail: `invalid_${/payload/.test(place) ? "payload" : "request"}`,
    ...{ status: 400, issues: [{ path, message }], cause },
  });
}

/** Makes the error for an id that the server does not know. */
export function unknownId(code: "not_found" | "not_remembered"): MessengerError {
  return new MessengerError("id: no such message", code, { status: 404 });
}

/** Makes the error for a missing or ended session. */
export function signedOut(): MessengerError {
  return new MessengerError("Signed out", "signed_out");
}

/** The signs of each code: the HTTP status and the server's own code. Without any of them it is `internal`. */
const KINDS: { readonly [code: string]: RegExp } = {
  signed_out: /^401/,
  forbidden: /^403/,
  conflict: /^409/,
  rate_limited: /^429/,
  invalid: /^4(00|1)/,
  // A gateway answers 404 too, where the function is not deployed.
  not_found: /not_found/,
  // An operator alone can end the others: `internal`, `misconfigured` and those of the database.
  unavailable: /^(5..|408|425) (?!int|mis|data)/,
};

/** Makes the error for a failure of supabase-js: one with a response, or one without an answer. */
export async function toMessengerError(
  cause?: unknown,
  supabase?: FunctionsLike,
): Promise<MessengerError> {
  const response = (cause as { context?: Partial<Response> } | null | undefined)
    ?.context as Response;
  // JSON that a gateway sends in the bus's place has no functions.
  if (!response?.json) {
    return new MessengerError("No answer", isOffline() ? "offline" : "unavailable", {
      ...{ detail: "no_answer", cause },
    });
  }
  const { status, headers } = response;
  // Gateways and proxies answer in other formats.
  const { message, code, issues }: Partial<MessengerError> = Object(
    await response.json().catch(() => {}),
  );
  // Seconds, or a date.
  const after = headers.get("retry-after") as string;
  const afterMs = +after * 1_000 || Date.parse(after) - Date.now();
  const kind = Object.keys(KINDS).find((kind) => (KINDS[kind] as RegExp).test(`${status} ${code}`));
  // `forbidden` and `signed_out`.
  const user = /^[fs]/.test(kind as string) && await userOf(supabase);
  // The request had no token, which cannot be renewed now.
  if (user === "") return toMessengerError();
  return new MessengerError(
    message ?? `HTTP ${status}`,
    // Without a user, a refusal asks for one.
    (user === null ? "signed_out" : kind ?? "internal") as MessengerErrorCode,
    {
      ...{ status, detail: `${code ?? `http_${status}`}`, issues: issues ?? [], cause },
      retryAfterMs: afterMs >= 0 ? afterMs : undefined,
    },
  );
}

/** Whether the browser says that it has no connection. Elsewhere no runtime says so. */
export function isOffline(): boolean {
  return (globalThis.navigator as { onLine?: boolean } | undefined)?.onLine === false;
}
