/** Turns errors into what callers over HTTP see: `{ code, message, issues? }`, never a stack. */

import type { ContentfulStatusCode } from "hono/utils/http-status";
import {
  ConflictError,
  DispatchTimeoutError,
  InvalidPayloadError,
  NotFoundError,
  UnknownMessageTypeError,
} from "../message/errors.ts";
import { OutdatedSchemaError } from "../database/schema-version.ts";
import type { z } from "zod";
import { readProperty } from "../runtime/inspect.ts";
import { RateLimitedError } from "../message/rate-limit.ts";
import { TransportError } from "../transport/transport.ts";

/** One mistake in a request, and its place. */
export interface Issue {
  /** The place: names of fields and indexes of arrays, from the outside in. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** An error that knows the HTTP status and body of its response. */
export class Problem extends Error {
  override readonly name = "Problem";
  /** Seconds after which a repeated request may succeed, for the header `retry-after`. */
  readonly retryAfterS: number | undefined;

  constructor(
    readonly status: ContentfulStatusCode,
    /** The kind of error, for programs: `invalid_request`, `forbidden`, ... */
    readonly code: string,
    message: string,
    readonly issues?: readonly Issue[],
    options?: ErrorOptions & { readonly retryAfterS?: number },
  ) {
    super(message, options);
    this.retryAfterS = options?.retryAfterS;
  }

  /** Returns the body of the response. */
  toJSON(): { code: string; message: string; issues?: readonly Issue[] } {
    const { code, message, issues } = this;
    return { code, message, ...(issues && { issues }) };
  }
}

/** Makes a Problem of status 400. Its message is the text of the first issue. */
export function invalidRequest(code: string, issues: readonly Issue[]): Problem {
  const [first] = issues;
  const field = first?.path.map(String).join(".");
  const prefix = first?.path.length ? `${field}: ` : "";
  const message = first ? `${prefix}${first.message}` : "The request is wrong";
  return new Problem(400, code, message, issues);
}

/** Converts the issues of a schema, and words zod's usual ones in this API's style. */
export function toIssues({ issues }: z.ZodError): Issue[] {
  return issues.flatMap((issue) =>
    unknownFields(issue, "request") ?? { path: placeOf(issue), message: wordsOf(issue) }
  );
}

function placeOf({ path }: z.core.$ZodIssue): Issue["path"] {
  return path.map((key) => typeof key === "symbol" ? String(key) : key);
}

/** Largest number of unknown fields of one object that an answer names: a body may have thousands. */
const MAX_UNKNOWN = 20;

/** An issue for each unknown field. zod has one for all of them, at the object that they are in. */
function unknownFields(issue: z.core.$ZodIssue, whole: string): Issue[] | undefined {
  // A schema may have words of its own for it.
  if (issue.code !== "unrecognized_keys" || !issue.message.startsWith("Unrecognized key")) {
    return undefined;
  }
  return issue.keys.slice(0, MAX_UNKNOWN).map((key) => ({
    path: [...placeOf(issue), key],
    message: `is not a field of this ${whole}`,
  }));
}

function wordsOf(issue: z.core.$ZodIssue): string {
  const { code, message } = issue;
  // Messages that a schema sets itself match none of these patterns and stay as they are.
  if (code === "invalid_type" && /^Invalid input: .* received undefined$/.test(message)) {
    return "is required";
  }
  if (code === "too_small" && message.startsWith("Too small")) {
    if (issue.origin === "string" && issue.minimum === 1) return "is empty";
    if (issue.origin !== "string") {
      const things = issue.origin === "array" ? " entries" : "";
      return `has to be ${issue.minimum}${things} or more`;
    }
  }
  if (code === "too_big" && message.startsWith("Too big") && issue.origin !== "string") {
    const things = issue.origin === "array" ? " entries" : "";
    return `has to be ${issue.maximum}${things} or less`;
  }
  return message;
}

/** A field and its problem, as errors of the bus name them: `config.cron: has to be ...`. */
const FIELD = /^(\w[\w.]*): (.*)$/s;

/**
 * Converts an error of the bus to a Problem. An unknown error becomes a 500 that shows no details.
 * @param path the place of the message in the request, for issues
 */
export function toProblem(error: unknown, path: readonly (string | number)[] = []): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof InvalidPayloadError) {
    const issues = error.issues.flatMap((issue) =>
      unknownFields(issue, "payload") ?? { path: placeOf(issue), message: issue.message }
    );
    return invalidRequest(
      "invalid_payload",
      issues.map((issue) => ({ ...issue, path: [...path, "payload", ...issue.path] })),
    );
  }
  if (error instanceof UnknownMessageTypeError) {
    return invalidRequest("unknown_type", [{
      path: [...path, "type"],
      message: error.message.replace(/^type: /, ""),
    }]);
  }
  if (error instanceof NotFoundError) return new Problem(404, "not_found", error.message);
  if (error instanceof ConflictError) return toConflict(error, path);
  if (error instanceof RangeError) {
    const { field, message } = namedField(error) ?? { field: undefined, message: error.message };
    const place = field === undefined ? path : [...path, ...field.split(".")];
    return invalidRequest("invalid_request", [{ path: place, message }]);
  }
  if (error instanceof RateLimitedError) {
    const retryAfterS = Math.max(1, Math.ceil(error.retryAfterMs / 1_000));
    const message = `${error.message}; try again in ${retryAfterS} s`;
    return new Problem(429, "rate_limited", message, undefined, { cause: error, retryAfterS });
  }
  if (error instanceof OutdatedSchemaError) {
    return new Problem(503, "outdated_schema", error.message, undefined, { cause: error });
  }
  if (error instanceof DispatchTimeoutError) {
    const message = "The message was not checked in time, and nothing was dispatched; try again";
    return new Problem(504, "timeout", message, undefined, { cause: error });
  }
  if (error instanceof TransportError) return ofDatabase(error);
  return new Problem(500, "internal_error", "Something went wrong", undefined, { cause: error });
}

/** The field that a RangeError is about, by its name in requests, and the rest of its text; undefined for other errors. */
export function namedField(
  error: unknown,
): { readonly field: string; readonly message: string } | undefined {
  const [, field, message] = error instanceof RangeError ? FIELD.exec(error.message) ?? [] : [];
  if (field === undefined || message === undefined) return undefined;
  // SQL has snake_case.
  return {
    field: field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    message,
  };
}

function toConflict(error: ConflictError, path: readonly (string | number)[]): Problem {
  const [, field, message = ""] = /^(\w+): (.*)$/s.exec(error.message) ?? [];
  const issues = field === undefined ? undefined : [{ path: [...path, field], message }];
  return new Problem(409, "conflict", error.message, issues);
}

// SQLSTATEs and PostgREST codes for missing objects, permissions or keys. Only an operator can help.
const MISCONFIGURED = /^(42|3F|PGRST1|PGRST3)/;
// A key or a range that another row has.
const TAKEN = /^(23505|23P01)$/;
const RETRY_AFTER_S = 2;
/** The words of messenger.check_outbox_room. */
const OUTBOX_FULL = /\boutbox: holds /;

/** Converts an error of the database, or of another transport. Only 503 and 504 tell the caller that a repeated request may succeed. */
function ofDatabase(error: TransportError): Problem {
  const code = String(readProperty(error.cause, "code") ?? "");
  const problem = (status: ContentfulStatusCode, name: string, message: string, more = {}) =>
    new Problem(status, name, message, undefined, { cause: error, ...more });
  const refuser = error.transport === undefined ? "database" : `transport ${error.transport}`;
  if (MISCONFIGURED.test(code) || error.fault === "refused") {
    return problem(500, "misconfigured", "The database is not set up for this request");
  }
  if (error.fault === "too_much") {
    return problem(504, "timeout", "The database took too long; try again with less at a time");
  }
  if (error.fault === "passing") {
    const more = { retryAfterS: RETRY_AFTER_S };
    const reason = OUTBOX_FULL.test(error.message)
      ? "Too many messages wait for other transports"
      : `The ${refuser} did not answer`;
    return problem(503, "unavailable", `${reason}; try again`, more);
  }
  return TAKEN.test(code)
    ? problem(409, "conflict", "The request conflicts with what the database already holds")
    : problem(
      500,
      "database_error",
      `The ${refuser} refused the request; trying again does not help`,
    );
}
