/** Classification: which errors are worth another attempt, and after what delay. */

import { assertEquals } from "@std/assert";
import {
  AuthApiError,
  AuthRetryableFetchError,
  AuthSessionMissingError,
  AuthUnknownError,
  FunctionsFetchError,
  FunctionsHttpError,
  FunctionsRelayError,
  PostgrestError,
  StorageApiError,
} from "@supabase/supabase-js";
import fc from "fast-check";
import { z } from "zod";
import { describeError } from "../../../supabase/functions/_shared/symphony/message/describe-error.ts";
import { MAX_DURATION_MS } from "../../../supabase/functions/_shared/symphony/runtime/duration.ts";
import {
  CrashError,
  HandlerTimeoutError,
  HttpError,
  InvalidPayloadError,
  MessageExpiredError,
  RecoverableError,
  UnknownMessageTypeError,
  UnrecoverableError,
} from "../../../supabase/functions/_shared/symphony/message/errors.ts";
import {
  type Classification,
  classifyError,
} from "../../../supabase/functions/_shared/symphony/retry/classify.ts";

const now = new Date("2026-11-23T12:00:00Z");
const classify = (error: unknown): Classification => classifyError(error, { now });

const always: Classification = { kind: "recoverable", countsAgainstLimit: false };
const retryable: Classification = { kind: "recoverable", countsAgainstLimit: true };
const never: Classification = { kind: "unrecoverable" };
const unknown: Classification = { kind: "unknown" };
const after = (retryDelay: number, kind = retryable): Classification => ({ ...kind, retryDelay });

function check(cases: readonly (readonly [unknown, Classification])[]): void {
  for (const [index, [error, expected]] of cases.entries()) {
    assertEquals(classify(error), expected, `case ${index}: ${describeError(error).message}`);
  }
}

const withFields = (fields: object, message = "x") => Object.assign(new Error(message), fields);
const withHeaders = (status: number, headers: Record<string, string>) =>
  new Response(null, { status, headers });

Deno.test("a RecoverableError is always retried, after its own delay if it has one", () => {
  class Later extends RecoverableError {}
  check([
    [new RecoverableError("x"), always],
    [new Later("x"), always],
    [new RecoverableError("x", { retryDelay: 1234 }), after(1234, always)],
    [new RecoverableError("x", { retryDelay: "5m" }), after(300_000, always)],
    [new RecoverableError("x", { retryDelay: 0 }), after(0, always)],
    [new RecoverableError("x", { countsAgainstLimit: true }), retryable],
    [new RecoverableError("x", { countsAgainstLimit: true, retryDelay: 5 }), after(5)],
  ]);
});

Deno.test("an UnrecoverableError and a schema's failure are never retried", () => {
  class Declined extends UnrecoverableError {}
  const parsing = z.object({ to: z.email() }).safeParse({ to: "nobody" }).error;
  check([
    [new UnrecoverableError("x"), never],
    [new Declined("x"), never],
    [parsing, never],
    [new z.core.$ZodError([]), never],
    [new InvalidPayloadError("Email", []), never],
    [new UnknownMessageTypeError("Email"), never],
    [new MessageExpiredError(now), never],
  ]);
});

Deno.test("timeouts and crashes are retried within the limit", () => {
  check([
    [new HandlerTimeoutError(30_000), retryable],
    [new CrashError(), retryable],
    [AbortSignal.abort().reason, retryable],
    [new DOMException("Signal timed out.", "TimeoutError"), retryable],
    [withFields({ name: "AbortError" }), retryable],
    [withFields({ code: "ABORT_ERR" }), retryable],
  ]);
});

Deno.test("the strategy decides where the error does not say", () => {
  const values = [
    "boom",
    "",
    undefined,
    null,
    0,
    503,
    NaN,
    true,
    10n,
    Symbol("x"),
    {},
    [],
    () => 1,
  ];
  const errors = [
    new Error("boom"),
    new TypeError("x is not a function"),
    new RangeError("x"),
    new SyntaxError("Unexpected token"),
    new DOMException("x", "DataCloneError"),
    new Deno.errors.NotFound("x"),
    new Deno.errors.PermissionDenied("x"),
    withFields({ code: "ENOENT" }),
    withFields({ code: "EACCES" }),
    withFields({ code: 23505 }),
    withFields({ status: "failed" }),
    withFields({ status: 200 }),
    withFields({ status: 302 }),
    withFields({ status: 999 }),
    withFields({ status: NaN }),
    new Error("failed to fetch the user's profile"),
  ];
  check([...values, ...errors].map((error) => [error, unknown]));
});

Deno.test("408, 425, 429 and 5xx are retryable, other 4xx are not, wherever the status is", () => {
  const shapes: ((status: number) => unknown)[] = [
    (status) => new HttpError(status),
    (status) => new Response(null, { status }),
    (status) => ({ status }),
    (status) => withFields({ status }),
    (status) => withFields({ statusCode: status }),
    (status) => withFields({ status: String(status) }),
    (status) => withFields({ response: { status } }),
    (status) => withFields({ response: new Response(null, { status }) }),
    (status) => withFields({ response: { statusCode: status } }),
    (status) => new FunctionsHttpError(new Response(null, { status })),
    (status) => new AuthApiError("x", status, "code"),
    (status) => new StorageApiError("x", status, String(status)),
    (status) => withFields({ code: `PT${status}` }),
    (status) => new Error("wrapped", { cause: new HttpError(status) }),
    (status) => ({ cause: { cause: { status } } }),
  ];
  for (let status = 400; status <= 599; status++) {
    const expected = [408, 425, 429].includes(status) || status >= 500 ? retryable : never;
    check(shapes.map((shape) => [shape(status), expected]));
  }
});

Deno.test("Retry-After is the delay of a retryable answer, in seconds or as a date", () => {
  const seconds = { "retry-after": "120" };
  const date = { "Retry-After": "Mon, 23 Nov 2026 12:00:30 GMT" };
  check([
    [withHeaders(429, seconds), after(120_000)],
    [withHeaders(503, date), after(30_000)],
    [withHeaders(503, { "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }), after(0)],
    [withHeaders(503, { "retry-after": "0" }), after(0)],
    [withHeaders(503, { "retry-after": "soon" }), retryable],
    [withHeaders(503, { "retry-after": "9".repeat(30) }), after(MAX_DURATION_MS)],
    [withHeaders(404, seconds), after(120_000)],
    [withHeaders(200, seconds), unknown],
    [HttpError.fromResponse(withHeaders(429, seconds)), after(120_000)],
    [new HttpError(503, { retryAfter: "2s" }), after(2_000)],
    [new FunctionsHttpError(withHeaders(429, seconds)), after(120_000)],
    [new FunctionsRelayError(withHeaders(500, seconds)), after(120_000)],
    [withFields({ response: { status: 429, headers: { "Retry-After": 3 } } }), after(3_000)],
    [withFields({ status: 429, headers: new Headers(seconds) }), after(120_000)],
    [withFields({ status: 429, headers: { get: () => "7" } }), after(7_000)],
    [withFields({ status: 429, headers: "none" }), retryable],
    [withFields({ name: "RateLimitError", retryAfterMs: 250 }), after(250)],
    [withFields({ name: "RateLimitError", retryAfterMs: 0.5 }), after(1)],
    [withFields({ name: "RateLimitError", retryAfterMs: -1 }), retryable],
    [RecoverableError.fromResponse(withHeaders(503, date), { now }), after(30_000, always)],
  ]);
});

Deno.test("supabase-js: errors of auth, functions and storage", () => {
  check([
    [new AuthRetryableFetchError("x", 0), retryable],
    [new AuthRetryableFetchError("x", 502), retryable],
    [new AuthSessionMissingError(), never],
    [new AuthUnknownError("x", new TypeError("fetch failed")), retryable],
    [new AuthUnknownError("x", new SyntaxError("x")), unknown],
    [new FunctionsFetchError(new TypeError("x")), retryable],
    [new FunctionsRelayError(withHeaders(404, {})), retryable],
    // Storage answers HTTP 400 and has its own status in the body.
    [new StorageApiError("slow down", 400, "503"), retryable],
    [new StorageApiError("not found", 400, "404"), never],
    [{ name: "StorageUnknownError", originalError: new TypeError("fetch failed") }, retryable],
  ]);
});

Deno.test("names that a stale schema cache, or a schema to be migrated, does not know are retried", () => {
  for (const code of ["42703", "42883", "42P01", "PGRST200", "PGRST202", "PGRST204", "PGRST205"]) {
    assertEquals(classifyError({ code, message: "x" }, { now: new Date() }), {
      kind: "recoverable",
      countsAgainstLimit: true,
    });
  }
});

Deno.test("SQL codes: lost connections, full servers, locks and timeouts pass; wrong data does not", () => {
  const transient = ["40001", "40P01", "55P03", "57014", "57P01", "57P02", "57P03", "08000"];
  transient.push(
    "08006",
    "08P01",
    "53000",
    "53300",
    "PGRST000",
    "PGRST001",
    "PGRST002",
    "PGRST003",
  );
  const permanent = ["22001", "22P02", "23505", "23503", "42501", "42601"];
  permanent.push("PGRST100", "PGRST116", "PGRST203", "PGRST301", "PT404");
  const silent = ["P0001", "XX000", "57P04", "0A000", "PGRSTX00", "PT200", "4000", "400011", ""];
  const shapes: ((code: string) => unknown)[] = [
    (code) => new PostgrestError({ message: "x", details: "", hint: "", code }),
    (code) => ({ message: "x", details: null, hint: null, code }),
    (code) => withFields({ name: "PostgresError", severity: "ERROR", code }),
    (code) => new Error("wrapped", { cause: { code } }),
  ];
  for (const shape of shapes) {
    check(transient.map((code) => [shape(code), retryable]));
    check(permanent.map((code) => [shape(code), never]));
    check(silent.map((code) => [shape(code), unknown]));
  }
});

Deno.test("whatever was thrown, and whatever it refuses to show, classification never throws", () => {
  const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
  revoke();
  const throwing = new Proxy(new Error("x"), {
    get: () => {
      throw new Error("no");
    },
  });
  const toStringThrows = {
    name: {
      toString: () => {
        throw new Error("no");
      },
    },
  };
  check([proxy, throwing, toStringThrows, { errors: proxy }, new Error("x", { cause: proxy })]
    .map((error) => [error, unknown]));
  check([
    [new AggregateError([proxy, new HttpError(503)]), retryable],
    [withFields({ status: 503, headers: proxy }), retryable],
    [Object.create(Response.prototype), unknown],
    [Object.create(RecoverableError.prototype), always],
  ]);
  fc.assert(fc.property(fc.anything({ withNullPrototype: true }), (value) => {
    classify(value);
    classify(new Error("x", { cause: value }));
    classify(new AggregateError([value, value]));
  }));
});
