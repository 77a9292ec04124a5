/** The errors of the bus: what they carry, what they refuse. */

import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { z } from "zod";
import * as errors from "../../../supabase/functions/_shared/symphony/message/errors.ts";
import { Snooze, snooze } from "../../../supabase/functions/_shared/symphony/message/snooze.ts";
import { classifyError } from "../../../supabase/functions/_shared/symphony/retry/classify.ts";

const { HttpError, RecoverableError } = errors;

const now = new Date("2026-11-23T12:00:00Z");
const cause = new Error("cause");

function response(status: number, retryAfter?: string, url = ""): Response {
  const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
  return Object.defineProperty(new Response("body", { status, headers }), "url", { value: url });
}

Deno.test("every error has its class's name, its cause and a text", () => {
  const all = {
    RecoverableError: new RecoverableError("x", { cause }),
    UnrecoverableError: new errors.UnrecoverableError("x", { cause }),
    HttpError: new HttpError(503, { cause }),
    HandlerTimeoutError: new errors.HandlerTimeoutError(30_000, { cause }),
    CrashError: new errors.CrashError(undefined, { cause }),
    UnknownMessageTypeError: new errors.UnknownMessageTypeError("Email", { cause }),
    InvalidPayloadError: new errors.InvalidPayloadError("Email", [], { cause }),
    MessageExpiredError: new errors.MessageExpiredError(now, { cause }),
    HandlersFailedError: new errors.HandlersFailedError([], { cause }),
  };
  for (const [name, error] of Object.entries(all)) {
    assertEquals([error.name, error.cause], [name, cause]);
    assert(error instanceof Error && error.message !== "");
  }
  assertEquals("cause" in new RecoverableError("x"), false);
});

Deno.test("a subclass has its own name and stays what it extends", () => {
  class CardDeclined extends errors.UnrecoverableError {}
  const error = new CardDeclined("no funds");
  assertEquals(String(error), "CardDeclined: no funds");
  assert(error instanceof errors.UnrecoverableError && error instanceof errors.SymphonyError);
});

Deno.test("a RecoverableError's delay is a duration, and nothing else", () => {
  assertEquals(new RecoverableError("x").retryDelay, undefined);
  assertEquals(new RecoverableError("x").countsAgainstLimit, false);
  assertEquals(new RecoverableError("x", { retryDelay: "5m" }).retryDelay, 300_000);
  for (const wrong of [-1, 0.5, NaN, Infinity, "soon", null]) {
    const options = { retryDelay: wrong as number };
    assertThrows(() => new RecoverableError("x", options), RangeError, "retryDelay: ");
  }
});

Deno.test("a RecoverableError made from a response waits as its Retry-After says", () => {
  const delayOf = (retryAfter?: string) =>
    RecoverableError.fromResponse(response(429, retryAfter), { now }).retryDelay;
  assertEquals(delayOf("120"), 120_000);
  assertEquals(delayOf("Mon, 23 Nov 2026 12:01:00 GMT"), 60_000);
  assertEquals(delayOf("Mon, 23 Nov 2026 11:59:00 GMT"), 0);
  assertEquals([delayOf("soon"), delayOf(undefined)], [undefined, undefined]);
});

Deno.test("a RecoverableError made from a response takes a text, a cause and the limit", () => {
  const plain = RecoverableError.fromResponse(response(503, "1", "https://a.example/b?key=secret"));
  assertEquals(plain.message, "HTTP 503 from https://a.example/b");
  assertEquals([plain.countsAgainstLimit, plain.retryDelay], [false, 1000]);
  const options = { message: "busy", cause, countsAgainstLimit: true };
  const full = RecoverableError.fromResponse(response(503), options);
  assertEquals([full.message, full.cause, full.countsAgainstLimit], ["busy", cause, true]);
});

Deno.test("an HttpError keeps status and Retry-After of a response, and leaves its body unread", async () => {
  const answer = response(429, "Mon, 23 Nov 2026 12:00:09 GMT", "https://a.example/b");
  const error = HttpError.fromResponse(answer, { now });
  assertEquals([error.status, error.retryAfter, error.url], [429, 9000, "https://a.example/b"]);
  assertEquals(await answer.text(), "body");
  assertEquals(HttpError.fromResponse(response(500)).url, undefined);
  assertEquals(HttpError.fromResponse(response(500), { message: "no", cause }).cause, cause);
});

Deno.test("an HttpError never keeps the credentials, query or fragment of a URL", () => {
  const cases = {
    "https://user:secret@a.example:8443/b/c?key=secret#secret": "https://a.example:8443/b/c",
    "https://a.example": "https://a.example/",
    "/b/c?key=secret": "/b/c",
    "//user:secret@a.example/b#secret": "//a.example/b",
    "?secret\nsecret": "",
  };
  for (const [url, kept] of Object.entries(cases)) {
    const error = new HttpError(500, { url });
    assertEquals(error.url, kept);
    assert(!error.message.includes("secret"));
  }
  assertEquals(
    new HttpError(500, { url: new URL("https://a.example/?q") }).url,
    "https://a.example/",
  );
});

Deno.test("an HttpError refuses an invalid status or delay", () => {
  for (const wrong of [NaN, 1.5, "503", undefined]) {
    assertThrows(() => new HttpError(wrong as number), RangeError, "status: ");
  }
  assertThrows(() => new HttpError(503, { retryAfter: -1 }), RangeError, "retryAfter: ");
});

Deno.test("an InvalidPayloadError names the type, the fields and what is wrong with them", () => {
  const schema = z.object({ to: z.email(), list: z.array(z.number()) });
  const issues = schema.safeParse({ to: "nobody", list: [1, "2"] }).error?.issues ?? [];
  const error = new errors.InvalidPayloadError("Email", issues);
  assertEquals(error.issues, issues);
  assertEquals(error.type, "Email");
  assertEquals(
    error.message,
    "Email: payload.to: Invalid email address; " +
      "payload.list.1: Invalid input: expected number, received string",
  );
});

Deno.test("an InvalidPayloadError of many issues shows the first and counts the rest", () => {
  const issues = Array.from({ length: 8 }, (_, index) => ({
    code: "custom" as const,
    path: [index],
    message: "bad",
    input: null,
  }));
  const { message } = new errors.InvalidPayloadError("Email", issues);
  assertEquals(message.endsWith("payload.4: bad; 3 more"), true);
});

Deno.test("a HandlersFailedError holds each handler's name and error", () => {
  const failures = [{ handler: "send", error: cause }, { handler: "audit", error: "boom" }];
  const error = new errors.HandlersFailedError(failures);
  assert(error instanceof AggregateError);
  assertEquals(error.errors, [cause, "boom"]);
  assertEquals(error.failures, failures);
  assertEquals(error.message, "handlers failed: send: cause; audit: boom");
});

Deno.test("a HandlersFailedError reads no stack, which takes the engine longer than all else", () => {
  let reads = 0;
  const error = new Error("boom");
  Object.defineProperty(error, "stack", { get: () => `stack ${reads++}` });
  assertEquals(
    new errors.HandlersFailedError([{ handler: "send", error }]).message,
    "handlers failed: send: boom",
  );
  assertEquals(reads, 0);
});

Deno.test("the errors of the bus say what they are about", () => {
  assertEquals(new errors.HandlerTimeoutError(500).timeout, 500);
  assertEquals(new errors.UnknownMessageTypeError("Email").type, "Email");
  assertEquals(new errors.MessageExpiredError(now).expiredAt, now);
});

Deno.test("errors refuse options and responses that are none by name", () => {
  // deno-lint-ignore no-explicit-any -- callers without types
  const wrong: any[] = [null, 5, "1h", ["1h"], new Map([["retryDelay", "1h"]])];
  for (const given of wrong) {
    const makers = [
      () => new RecoverableError("x", given),
      () => new HttpError(500, given),
      () => RecoverableError.fromResponse(response(503), given),
      () => HttpError.fromResponse(response(503), given),
    ];
    for (const make of makers) {
      assertThrows(make, RangeError, "options: have to be an object; got ");
    }
    for (const type of [RecoverableError, HttpError]) {
      const refusal = "response: has to be a Response, with an HTTP status; got ";
      assertThrows(() => type.fromResponse(given), RangeError, refusal);
    }
  }
});

Deno.test("an error is made from a client's own response, which has no URL", () => {
  const own = { status: 503, headers: new Headers({ "retry-after": "5" }) } as Response;
  const recoverable = RecoverableError.fromResponse(own);
  assertEquals([recoverable.message, recoverable.retryDelay], ["HTTP 503", 5_000]);
  assertEquals(HttpError.fromResponse(own).retryAfter, 5_000);
});

// deno-lint-ignore no-explicit-any -- callers without types
type Untyped = any;

class RateLimited extends RecoverableError {}
class Declined extends errors.UnrecoverableError {}

const misspelled: [string, () => unknown][] = [
  ["retryDealy", () => new RecoverableError("x", { retryDealy: "1h" } as Untyped)],
  ["delay", () => new RecoverableError("x", { delay: "1h" } as Untyped)],
  ["retrydelay", () => new RateLimited("x", { retrydelay: "1h" } as Untyped)],
  ["cuase", () => new errors.UnrecoverableError("x", { cuase: cause } as Untyped)],
  ["retryDelay", () => new errors.UnrecoverableError("x", { retryDelay: "1h" } as Untyped)],
  ["Cause", () => new Declined("x", { Cause: cause } as Untyped)],
  ["retryAftr", () => new HttpError(503, { retryAftr: 5 } as Untyped)],
  ["mesage", () => HttpError.fromResponse(response(503), { mesage: "x" } as Untyped)],
  ["nwo", () => RecoverableError.fromResponse(response(503), { nwo: now } as Untyped)],
  ["countsAgainstLimit", () => new RecoverableError("x", { countsAgainstLimit: "no" } as Untyped)],
  ["shouldRetry", () => new HttpError(503, { shouldRetry: 1 } as Untyped)],
  ["now", () => HttpError.fromResponse(response(503), { now: "now" } as Untyped)],
];
for (const [name, make] of misspelled) {
  Deno.test(`the option ${name} of an error is refused by name where it is misspelled or wrong: ${make}`, () => {
    assertThrows(make, RangeError, `${name}: `);
  });
}

Deno.test("an error whose options are refused decides all the same, and stays in the history", () => {
  const refusal = (make: () => unknown) => assertThrows(make, RangeError);
  const dealy = { retryDealy: "1h", cause } as Untyped;
  const later = refusal(() => new RecoverableError("the API is busy", dealy));
  assertEquals(later.message, "retryDealy: no such option; did you mean retryDelay?");
  assertEquals(classifyError(later), { kind: "recoverable", countsAgainstLimit: false });
  assertStringIncludes(errors.describeError(later).stack ?? "", "the API is busy");
  assertEquals((later.cause as Error).cause, cause);
  const counted = { retryDealy: "1h", countsAgainstLimit: true } as Untyped;
  assertEquals(classifyError(refusal(() => new RecoverableError("x", counted))), {
    ...{ kind: "recoverable", countsAgainstLimit: true },
  });
  for (const never of [{ cuase: cause }, cause, { message: "no row", code: "PGRST116" }]) {
    const dead = refusal(() => new errors.UnrecoverableError("no such order", never as Untyped));
    assertEquals(classifyError(dead), { kind: "unrecoverable" });
    const { stack = "" } = errors.describeError(dead);
    assertStringIncludes(stack, "no such order");
    assertStringIncludes(stack, never === cause ? "Error: cause" : "");
    if ("code" in never) assertStringIncludes(stack, "no row");
  }
  const http = refusal(() => new HttpError(404, { retryAftr: 5, cause } as Untyped));
  assertEquals([classifyError(http).kind, (http.cause as Error).cause], ["unrecoverable", cause]);
});

Deno.test("a subclass passes options of its own on", () => {
  class Coded extends errors.UnrecoverableError {
    constructor(message: string, readonly options: ErrorOptions & { readonly code: string }) {
      super(message, options);
    }
  }
  assertEquals(new Coded("x", { code: "E1", cause }).cause, cause);
});

Deno.test("a snooze takes its delay alone", () => {
  const more = { reason: "busy" };
  for (
    const make of [
      () => new (Snooze as Untyped)(1, more),
      () => (snooze as Untyped)("1s", more),
      () => snooze({ delay: "1s" } as Untyped),
    ]
  ) assertThrows(make, RangeError, "snooze: ");
});
