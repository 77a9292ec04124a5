/** Refusals that ask to come back: Retry-After in all its forms, and throttling by name or code. */

import { assertEquals } from "@std/assert";
import {
  type Classification,
  classifyError,
} from "../../../supabase/functions/_shared/symphony/index.ts";

const now = new Date("2026-11-23T12:00:00Z");
const classify = (error: unknown) => classifyError(error, { now });
const retryable: Classification = { kind: "recoverable", countsAgainstLimit: true };
const after = (retryDelay: number): Classification => ({ ...retryable, retryDelay });
const never: Classification = { kind: "unrecoverable" };
const http = (status: number, headers: HeadersInit = {}) => new Response(null, { status, headers });
const bytes = (text: string) => new TextEncoder().encode(text);
const error = (fields: object) => Object.assign(new Error("refused"), fields);

Deno.test("a 4xx that carries Retry-After is retried after it, wherever its headers stand", () => {
  for (const status of [400, 403, 404, 409, 423]) {
    assertEquals(classify(http(status, { "retry-after": "60" })), after(60_000), String(status));
    assertEquals(classify(http(status)), never, String(status));
  }
  const headers = { "Retry-After": "60" };
  const forms = [
    error({ response: { status: 403, headers } }),
    error({ response: { status: 403, headers: new Headers(headers) } }),
    error({ response: { status: 403, headers: new Map(Object.entries(headers)) } }),
    error({ response: { status: 403, headers: Object.entries(headers) } }),
    error({ response: { status: 403, headers: { "retry-after": ["60"] } } }),
    error({ status: 403, headers: { "RETRY-AFTER": 60 } }),
    error({ statusCode: 403, headers: ["x-date", "Retry-After", "Retry-After", "60"] }),
    error({ statusCode: 403, headers: ["Retry-After", "60"].map(bytes) }),
    error({ context: http(403, headers) }),
    error({ $metadata: { httpStatusCode: 403 }, $response: { headers } }),
    error({ status: 403, headers: { "retry-after-ms": "60000" } }),
    error({ status: 403, headers: { "x-ms-retry-after-ms": "60000" } }),
    error({ status: 403, headers: { "retry-after": "59.9995" } }),
    error({ statusCode: 403, responseHeaders: headers }),
    error({ output: { statusCode: 403, headers } }),
    error({ res: { statusCode: 403, headers } }),
    error({ raw: { statusCode: 403, headers } }),
    error({ status: 403, data: { retry_after: 60 } }),
    error({ status: 403, response: { status: 403, body: { parameters: { retry_after: 60 } } } }),
    new Error("outer", { cause: http(403, headers) }),
  ];
  for (const [index, one] of forms.entries()) {
    assertEquals(classify(one), after(60_000), `form ${index}`);
  }
});

Deno.test("a Retry-After that is a time since 1970 leaves the delay to the strategy", () => {
  for (const value of ["1771404540", "1771404540000"]) {
    assertEquals(classify(http(429, { "retry-after": value })), retryable, value);
    assertEquals(classify(http(403, { "retry-after": value })), retryable, value);
    assertEquals(classify(http(429, { "retry-after-ms": value })), retryable, value);
  }
});

Deno.test("a Retry-After with a unit, or a date that is written otherwise than HTTP's, is read", () => {
  for (
    const value of [
      ...["60s", "60 seconds", "Mon, 23 Nov 2026 12:01:00 UTC", "Mon, 23 Nov 2026 12:01:00 +0000"],
      ...["mon, 23 nov 2026 12:01:00 gmt", "23 Nov 2026 12:01:00 GMT", "2026-11-23 12:01:00 UTC"],
    ]
  ) {
    assertEquals(classify(http(403, { "retry-after": value })), after(60_000), value);
  }
});

Deno.test("a Retry-After whose number cannot be understood leaves the delay of a 4xx to the strategy", () => {
  for (const value of ["-1", "1m", "PT60S", "60;120", '"60"', "2026-11-23 12:01:00"]) {
    assertEquals(classify(http(403, { "retry-after": value })), retryable, value);
  }
  for (const value of ["", "soon", "null"]) {
    assertEquals(classify(http(403, { "retry-after": value })), never, value);
  }
});

Deno.test("several Retry-After headers are waited for as long as the longest, and ISO 8601 is read", () => {
  for (
    const value of ["5, 60", "60,5", " 60 , 60 ", "2026-11-23T12:01:00Z", "2026-11-23T13:01+01:00"]
  ) {
    assertEquals(classify(http(403, { "retry-after": value })), after(60_000), value);
  }
  const twice = new Response(null, {
    status: 403,
    headers: [["retry-after", "5"], ["retry-after", "60"]],
  });
  assertEquals(classify(twice), after(60_000));
});

Deno.test("a wait whose unit its name does not tell makes a 4xx worth a retry, after the strategy's delay", () => {
  for (
    const fields of [
      { status: 403, retryAfter: 60 },
      { status: 403, retryAfter: "60" },
      { response: { status: 400, data: { error: { retryAfterSeconds: 60 } } } },
      { status: 409, body: { retry_after_ms: 60_000 } },
    ]
  ) assertEquals(classify(error(fields)), retryable, JSON.stringify(fields));
  assertEquals(classify(error({ status: 403, retryAfter: "soon" })), never);
});

Deno.test("throttling is known by its name or code, whatever the status", () => {
  const throttled = [
    { name: "RequestTimeout", $metadata: { httpStatusCode: 400 } },
    { errorCode: "ThrottleExceeded", status: 403 },
    { code: "auth/too-many-requests", status: 400 },
    { code: "messaging/message-rate-exceeded", status: 400 },
    { code: 403, status: 403, errors: [{ reason: "sharingRateLimitExceeded" }] },
    { name: "ThrottlingException", $metadata: { httpStatusCode: 400 } },
    { name: "ProvisionedThroughputExceededException", status: 400 },
    { code: "RequestLimitExceeded", statusCode: 400 },
    { Code: "SlowDown", status: 403 },
    { __type: "com.amazonaws.dynamodb#ThrottlingException", status: 400 },
    { name: "X", $retryable: { throttling: true }, status: 400 },
    { status: 403, errors: [{ reason: "userRateLimitExceeded" }] },
    {
      response: {
        status: 403,
        data: { error: { errors: [{ reason: "rateLimitExceeded" }] } },
      },
    },
    { code: 403, status: "RESOURCE_EXHAUSTED" },
    { code: 8, details: "quota", metadata: {} },
    { code: 14, details: "unavailable", metadata: {} },
    { status: 403, message: "You have exceeded a secondary rate limit." },
    { status: 403, message: "API rate limit exceeded for user" },
    { type: "StripeRateLimitError", statusCode: 400 },
    { status: 400, error: { type: "rate_limit_error" } },
    { code: "slack_webapi_rate_limited_error", statusCode: 400 },
    { code: "over_email_send_rate_limit", status: 400 },
    { status: 403, errors: [{ reason: "dailyLimitExceeded" }] },
    { response: { status: 403, data: [{ errorCode: "REQUEST_LIMIT_EXCEEDED" }] } },
    { response: { status: 403, data: { message: "You have exceeded a secondary rate limit." } } },
    { response: { status: 400, data: { message: "Too many requests" } } },
    { response: { status: 400, data: "Too many requests" } },
    { status: 403, responseBody: "Rate limit exceeded: 5 per 1 minute" },
    { response: { status: 403, data: { detail: "API rate limit exceeded" } } },
    { name: "TransactionConflictException", $metadata: { httpStatusCode: 400 } },
    {
      ...{ name: "TransactionCanceledException", $metadata: { httpStatusCode: 400 } },
      CancellationReasons: [{ Code: "None" }, { Code: "TransactionConflict" }],
    },
    {
      ...{ name: "TransactionCanceledException", $metadata: { httpStatusCode: 400 } },
      CancellationReasons: [{ Code: "ThrottlingError" }],
    },
    { name: "OperationAborted", $metadata: { httpStatusCode: 409 } },
    { type: "StripeIdempotencyError", code: "idempotency_key_in_use", statusCode: 409 },
  ];
  for (const fields of throttled) {
    assertEquals(classify(error(fields)), retryable, JSON.stringify(fields));
  }
  for (
    const fields of [
      { status: 403, message: "Resource not accessible by integration" },
      { response: { status: 403, data: "Forbidden" } },
      { response: { status: 400, data: "Rate is not a number" } },
      {
        ...{ name: "TransactionCanceledException", $metadata: { httpStatusCode: 400 } },
        CancellationReasons: [{ Code: "ConditionalCheckFailed" }],
      },
      { name: "AccessDeniedException", status: 400 },
      { code: 7, details: "permission denied", status: 403 },
      { code: "insufficient_quota", status: 403 },
    ]
  ) assertEquals(classify(error(fields)), never, JSON.stringify(fields));
});

Deno.test("a spent GitHub rate limit is waited for until it is reset", () => {
  const reset = String(now.getTime() / 1000 + 90);
  const headers = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset };
  assertEquals(classify(error({ status: 403, response: { status: 403, headers } })), after(90_000));
  assertEquals(
    classify(error({ status: 403, headers: { ...headers, "x-ratelimit-remaining": "12" } })),
    never,
  );
});

Deno.test("a rate limit that is spent is read in the ways in which APIs tell it, with 403 and 429 only", () => {
  const at = String(now.getTime() / 1000 + 90);
  const spent: Record<string, string>[] = [
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": at },
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": `${Number(at) * 1000}` },
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "90" },
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "90.0" },
    { "x-rate-limit-remaining": "0", "x-rate-limit-reset": at },
    { "ratelimit-remaining": "0", "ratelimit-reset": "90" },
  ];
  for (const headers of spent) {
    for (const status of [403, 429]) assertEquals(classify(http(status, headers)), after(90_000));
    assertEquals(classify(http(404, headers)), never);
  }
});

Deno.test("the answer's body is read where clients keep it", () => {
  assertEquals(
    classify(error({ code: "slack_webapi_rate_limited_error", retryAfter: 30 })),
    after(30_000),
  );
  const info = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "2.5s" };
  assertEquals(classify(error({ status: 429, details: [info] })), after(2_500));
  const metadata = { get: (name: string) => name === "retry-after" ? ["3"] : [] };
  assertEquals(classify(error({ code: 8, details: "quota", metadata })), after(3_000));
  for (
    const fields of [
      { data: { ok: false, error: "ratelimited" } },
      { response: { status: 200, errors: [{ extensions: { code: "THROTTLED" } }] } },
      { graphQLErrors: [{ extensions: { code: "THROTTLED" } }] },
      { message: "8 RESOURCE_EXHAUSTED: quota", code: 8 },
      { message: "Rate exceeded", statusCode: 400 },
    ]
  ) assertEquals(classify(error(fields)), retryable, JSON.stringify(fields));
});

Deno.test("a mail server's reply 4yz is retried, and 5yz is not", () => {
  assertEquals(classify(error({ code: "EENVELOPE", responseCode: 451 })), retryable);
  assertEquals(classify(error({ code: "EENVELOPE", responseCode: 550 })), never);
  assertEquals(classify(error({ message: "450 4.2.1 mailbox busy" })), retryable);
  assertEquals(classify(error({ message: "550 5.1.1 no such user" })), never);
  // A client of HTTP that calls its status so is no mail server.
  assertEquals(classify(error({ responseCode: 503 })), { kind: "unknown" });
});
