/** Classification of errors within errors: causes, aggregates, cycles. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  HandlersFailedError,
  HttpError,
  RecoverableError,
  UnrecoverableError,
} from "../../../supabase/functions/_shared/symphony/message/errors.ts";
import {
  type Classification,
  classifyError,
} from "../../../supabase/functions/_shared/symphony/retry/classify.ts";
import { TransportError } from "../../../supabase/functions/_shared/symphony/transport/transport.ts";

const now = new Date("2026-11-23T12:00:00Z");
const classify = (error: unknown): Classification => classifyError(error, { now });

const always: Classification = { kind: "recoverable", countsAgainstLimit: false };
const retryable: Classification = { kind: "recoverable", countsAgainstLimit: true };
const never: Classification = { kind: "unrecoverable" };
const unknown: Classification = { kind: "unknown" };

const plain = () => new Error("plain");
const forced = (retryDelay?: number) =>
  new RecoverableError("later", retryDelay === undefined ? {} : { retryDelay });
const hopeless = () => new UnrecoverableError("never");
const http = (status: number, retryAfter?: number) =>
  new HttpError(status, retryAfter === undefined ? {} : { retryAfter });
const several = (...errors: unknown[]) => new AggregateError(errors);

function wrap(...errors: Error[]): Error | undefined {
  return errors.reduceRight<Error | undefined>((cause, error) => {
    if (cause) error.cause = cause;
    return error;
  }, undefined);
}

Deno.test("a cause decides where its wrapper says nothing", () => {
  assertEquals(classify(wrap(plain(), forced(5))), { ...always, retryDelay: 5 });
  assertEquals(classify(wrap(plain(), hopeless())), never);
  assertEquals(classify(wrap(plain(), plain(), http(404))), never);
  assertEquals(classify(wrap(plain(), plain(), http(503))), retryable);
  assertEquals(classify(wrap(plain(), several(hopeless()))), never);
  assertEquals(classify(wrap(plain(), plain())), unknown);
  assertEquals(classify(new Error("x", { cause: "ECONNRESET" })), unknown);
});

Deno.test("of the classes that say it outright the outermost wins", () => {
  assertEquals(classify(wrap(hopeless(), forced())), never);
  assertEquals(classify(wrap(forced(), hopeless())), always);
  assertEquals(classify(wrap(plain(), forced(), hopeless())), always);
  assertEquals(classify(wrap(hopeless(), http(503))), never);
  assertEquals(classify(wrap(forced(), http(404))), always);
});

Deno.test("a class that says it outright wins over a status or a code outside of it", () => {
  assertEquals(classify(wrap(http(503), hopeless())), never);
  assertEquals(classify(wrap(http(404), forced())), always);
  assertEquals(classify(wrap(http(503), several(hopeless()))), never);
  assertEquals(classify(wrap(http(404), several(plain(), forced()))), always);
  assertEquals(classify(wrap(http(503, 100), forced(5))), { ...always, retryDelay: 5 });
});

Deno.test("of statuses and codes the outermost wins", () => {
  assertEquals(classify(wrap(http(503), http(404))), retryable);
  assertEquals(classify(wrap(http(404), http(503))), never);
});

Deno.test("a Retry-After further in is honoured where the error outside has no delay of its own", () => {
  assertEquals(classify(wrap(forced(), http(429, 7))), { ...always, retryDelay: 7 });
  assertEquals(classify(wrap(forced(1), http(429, 7))), { ...always, retryDelay: 1 });
  assertEquals(classify(wrap(http(503), plain(), http(429, 7))), { ...retryable, retryDelay: 7 });
  assertEquals(classify(wrap(http(404), http(429, 7))), never);
});

Deno.test("of several errors one that may pass is enough for a retry", () => {
  assertEquals(classify(several(hopeless(), hopeless())), never);
  assertEquals(classify(several(hopeless(), http(404))), never);
  assertEquals(classify(several(hopeless(), plain())), unknown);
  assertEquals(classify(several(hopeless(), "boom")), unknown);
  assertEquals(classify(several(hopeless(), http(503))), retryable);
  assertEquals(classify(several(plain(), http(503))), retryable);
  assertEquals(classify(several(plain(), forced(), hopeless())), always);
  assertEquals(classify(several(http(503), forced())), always);
  assertEquals(classify(several(hopeless(), wrap(plain(), forced()))), always);
  assertEquals(classify(several(several(hopeless()), several(http(404)))), never);
  assertEquals(classify(several()), unknown);
});

Deno.test("of several delays the shortest is waited", () => {
  const errors = [forced(900), http(429, 300), http(503), plain(), forced(600)];
  assertEquals(classify(several(...errors)), { ...always, retryDelay: 300 });
  assertEquals(classify(several(http(429, 300), http(503, 200))), {
    ...retryable,
    retryDelay: 200,
  });
});

Deno.test("failed handlers are judged as any several errors are", () => {
  const failed = (...errors: unknown[]) =>
    new HandlersFailedError(errors.map((error, index) => ({ handler: `h${index}`, error })));
  assertEquals(classify(failed(hopeless(), hopeless())), never);
  assertEquals(classify(failed(hopeless(), plain())), unknown);
  assertEquals(classify(failed(forced(9), plain())), { ...always, retryDelay: 9 });
});

Deno.test("what several errors come from is asked where they say nothing themselves", () => {
  assertEquals(classify(new AggregateError([], "x", { cause: hopeless() })), never);
  assertEquals(classify(new AggregateError([plain()], "x", { cause: http(503) })), retryable);
  assertEquals(classify(new AggregateError([hopeless()], "x", { cause: http(503) })), never);
});

Deno.test("an aggregate's own code counts, as Node gives one for a host with several addresses", () => {
  const refused = Object.assign(several(plain(), plain()), { code: "ECONNREFUSED" });
  assertEquals(classify(refused), retryable);
  assertEquals(classify({ name: "AggregateError", errors: [hopeless()] }), never);
});

Deno.test("only an AggregateError's errors are taken for errors that happened together", () => {
  assertEquals(classify(Object.assign(plain(), { errors: [hopeless()] })), unknown);
});

Deno.test("a SuppressedError is judged by what it suppressed, then by what it hid it with", () => {
  const suppressed = (original: unknown, later: unknown) =>
    Object.assign(plain(), { name: "SuppressedError", suppressed: original, error: later });
  assertEquals(classify(suppressed(hopeless(), forced())), never);
  assertEquals(classify(suppressed(plain(), http(503))), retryable);
});

Deno.test("the order of several errors changes nothing", () => {
  const error = fc.oneof(
    fc.constant(plain()),
    fc.constant(hopeless()),
    fc.constantFrom(404, 503).map((status) => http(status)),
    fc.nat(1_000).map((ms) => http(429, ms)),
    fc.nat(1_000).map((ms) => forced(ms)),
    fc.constant(forced()),
  );
  const nested = fc.oneof(
    error,
    error.map((one) => wrap(plain(), one)),
    fc.array(error).map((all) => several(...all)),
  );
  const orders = fc.array(nested, { maxLength: 8 }).chain((errors) =>
    fc.tuple(
      fc.constant(errors),
      fc.shuffledSubarray(errors, { minLength: errors.length, maxLength: errors.length }),
    )
  );
  fc.assert(fc.property(orders, ([errors, shuffled]) => {
    assertEquals(classify(several(...errors)), classify(several(...shuffled)));
  }));
});

Deno.test("cycles come to an end, and what is found on the way counts", () => {
  const [first, second] = [plain(), plain()];
  first.cause = second;
  second.cause = first;
  assertEquals(classify(first), unknown);
  const self = several(hopeless());
  self.errors.push(self);
  self.cause = self;
  assertEquals(classify(self), never);
  const failing = several(http(503));
  failing.errors.unshift(Object.assign(plain(), { cause: failing }));
  assertEquals(classify(failing), retryable);
});

Deno.test("errors without end, or in huge number, come to an end", () => {
  const endless = (): Error =>
    Object.defineProperty(several(), "errors", { get: () => [endless(), endless()] });
  assertEquals(classify(endless()), unknown);
  const chain = wrap(...Array.from({ length: 100_000 }, plain), hopeless());
  assertEquals(classify(chain), unknown);
  assertEquals(classify(wrap(...Array.from({ length: 20 }, plain), hopeless())), never);
  let shared: Error = hopeless();
  for (let depth = 0; depth < 25; depth++) shared = several(shared, shared, shared);
  assertEquals(classify(shared), never);
  assertEquals(classify(several(...Array.from({ length: 50_000 }, hopeless))), unknown);
});

Deno.test("a call of the bus that failed by no fault of its message leaves the message to its strategy", () => {
  const failed = (code: string, fault: TransportError["fault"]) =>
    new TransportError("messenger_reserve_ids", "m", false, { cause: { code }, fault });
  assertEquals(classify(failed("42501", "refused")), retryable);
  assertEquals(classify(failed("PGRST301", "refused")), retryable);
  assertEquals(classify(new Error("outer", { cause: failed("57014", "too_much") })), retryable);
  assertEquals(classify(failed("22P02", "data")), never);
});
