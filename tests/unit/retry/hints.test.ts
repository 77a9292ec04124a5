/** Hints of servers about a retry: JSON in texts, further headers, and the limits that headers report. */

import { assertEquals } from "@std/assert";
import {
  type Classification,
  classifyError,
  HttpError,
} from "../../../supabase/functions/_shared/symphony/index.ts";

const now = new Date("2026-11-23T12:00:00Z");
const classify = (error: unknown) => classifyError(error, { now });
const retryable: Classification = { kind: "recoverable", countsAgainstLimit: true };
const after = (retryDelay: number): Classification => ({ ...retryable, retryDelay });
const never: Classification = { kind: "unrecoverable" };
const http = (status: number, headers: HeadersInit = {}) => new Response(null, { status, headers });

const retryInfo = { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "34.5s" };
const body = {
  error: {
    ...{ code: 429, message: "Quota exceeded", status: "RESOURCE_EXHAUSTED" },
    details: [{ "@type": "type.googleapis.com/google.rpc.Help", links: [] }, retryInfo],
  },
};
const text = JSON.stringify(body, null, 2);
const nested = JSON.stringify({ error: { message: text, code: 429, status: "Too Many Requests" } });

const google: [string, unknown][] = [
  ["the message of an error", Object.assign(new Error(text), { status: 429 })],
  ["a message without a status", new Error(text)],
  ["a list in the message", new Error(`[${text}]`)],
  ["JSON in the JSON of a message", Object.assign(new Error(nested), { status: 429 })],
  [
    "the end of a message",
    new Error(`Error fetching from https://example.org: [429 Too Many Requests] slow [${text}]`),
  ],
  ["the details at the end of a message", new Error(`[429] Quota. [${JSON.stringify(retryInfo)}]`)],
  ["the body as text", { statusCode: 429, responseBody: text }],
  ["a response's data as text", { response: { status: 429, data: text } }],
  ["a thrown object", body],
  [
    "decoded details",
    Object.assign(new Error("8 RESOURCE_EXHAUSTED: slow"), {
      ...{ code: 8, details: "slow" },
      statusDetails: [{ retryDelay: { seconds: "34", nanos: 500_000_000 } }],
    }),
  ],
  ["a cause", new Error("outer", { cause: new Error(text) })],
];
for (const [place, error] of google) {
  Deno.test(`Google's RetryInfo is read from ${place}`, () => {
    // A delay without a status or a name says that a retry may help.
    assertEquals(classify(error), after(34_500));
  });
}

Deno.test("JSON in a message that says nothing about a retry changes nothing", () => {
  const texts = ['{"error":{"code":400,"status":"INVALID_ARGUMENT"}}', "{broken", '[{"a":1}', "{}"];
  for (const message of texts) {
    assertEquals(classify(Object.assign(new Error(message), { status: 400 })), never, message);
    assertEquals(classify(new Error(message)), { kind: "unknown" }, message);
  }
  const long = new Error(`${text}${" ".repeat(60_000)}}`);
  assertEquals(classify(long), { kind: "unknown" });
});

const headers: [number, Record<string, string>, Classification][] = [
  [404, { "x-retry-after": "60" }, after(60_000)],
  [403, { "x-retry-after": "Mon, 23 Nov 2026 12:01:00 GMT" }, after(60_000)],
  [429, { "retry-after": "5", "x-retry-after": "60" }, after(5_000)],
  [429, { "x-ratelimit-retry-after": "60" }, after(60_000)],
  [429, { "x-rate-limit-retry-after-seconds": "60" }, after(60_000)],
  [409, { "x-should-retry": "true" }, retryable],
  [400, { "stripe-should-retry": "true" }, retryable],
  [500, { "x-should-retry": "false" }, never],
  [429, { "X-Should-Retry": "FALSE" }, never],
  [503, { "x-should-retry": "false", "retry-after": "60" }, after(60_000)],
  [409, { "x-should-retry": "maybe" }, never],
  [429, { ratelimit: '"default";r=0;t=30' }, after(30_000)],
  [403, { ratelimit: '"default";r=0;t=30' }, after(30_000)],
  [429, { ratelimit: '"burst";r=0;t=5, "daily";r=0;t=60, "month";r=9;t=900' }, after(60_000)],
  [429, { ratelimit: "default;t=30;r=0" }, after(30_000)],
  [429, { ratelimit: '"default"; r=0; t=30; pk=:cHsg:' }, after(30_000)],
  [429, { ratelimit: '"default";t=30' }, after(30_000)],
  [429, { ratelimit: "limit=10, remaining=0, reset=30" }, after(30_000)],
  [429, { ratelimit: '"default";r=5;t=30' }, retryable],
  [403, { ratelimit: '"default";r=5;t=30' }, never],
  [404, { ratelimit: '"default";r=0;t=30' }, never],
  [429, { ratelimit: "10" }, retryable],
  [
    429,
    { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m0.5s" },
    after(60_500),
  ],
  [
    429,
    {
      ...{ "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20ms" },
      ...{ "x-ratelimit-remaining-tokens": "7", "x-ratelimit-reset-tokens": "6m0s" },
    },
    after(20),
  ],
];
for (const [status, given, expected] of headers) {
  Deno.test(`a response ${status} with ${Deno.inspect(given)} is judged by it`, () => {
    assertEquals(classify(http(status, given)), expected);
    assertEquals(classify({ response: { status, headers: given } }), expected);
    assertEquals(classify(HttpError.fromResponse(http(status, given), { now })), expected);
  });
}

Deno.test("x-should-retry of a response that is no failure says nothing about the error", () => {
  const error = Object.assign(new Error("no luck"), {
    response: http(200, { "x-should-retry": "false" }),
  });
  assertEquals(classify(error), { kind: "unknown" });
});

Deno.test("an HttpError of a 4xx whose Retry-After is a time since 1970 is retried as its response is", () => {
  const response = http(403, { "retry-after": "1771404540" });
  assertEquals(classify(HttpError.fromResponse(response, { now })), retryable);
  assertEquals(classify(new HttpError(404, { shouldRetry: true })), retryable);
  assertEquals(classify(new HttpError(503, { shouldRetry: false })), never);
});
