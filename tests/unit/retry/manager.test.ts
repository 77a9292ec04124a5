/** The retry manager: what it decides about a failed message, and that it writes it. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  type Envelope,
  ExponentialBackoffRetryStrategy,
  FixedDelaysRetryStrategy,
  HandlersFailedError,
  HttpError,
  type MessageOptions,
  RecoverableError,
  RetryManager,
  TransportError,
  UnknownMessageTypeError,
  UnrecoverableError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import { createRegistry } from "../../../supabase/functions/_shared/symphony/message/registry.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { envelopeAt } from "../../support/envelope.ts";

const now = new Date("2026-03-01T12:00:00Z");

function manager(more: Partial<MessageOptions<z.ZodUnknown>> = {}) {
  const transport = new InMemoryTransport();
  const strategy = new ExponentialBackoffRetryStrategy({
    maxRetries: 3,
    delay: 1000,
    multiplier: 2.0,
    maxDelay: 30_000,
  });
  const definition = defineMessage({ type: "T", schema: z.unknown(), handler: () => {}, ...more });
  const registry = createRegistry([definition]);
  return {
    transport,
    manager: new RetryManager({ strategy, transport, registry, now: () => now }),
  };
}

const envelope = (more: Partial<Envelope> = {}) => envelopeAt(now, more);

Deno.test("a plain error is retried after the strategy's delay", () => {
  assertEquals(
    manager().manager.determineRetryAction(envelope({ retryCount: 2 }), new Error("x")),
    {
      shouldRetry: true,
      delay: 4000,
      nextAvailableTime: new Date("2026-03-01T12:00:04Z"),
      newRetryCount: 3,
      shouldMoveToDeadLetter: false,
    },
  );
});

Deno.test("the last retry spent, a plain error is the end", () => {
  assertEquals(
    manager().manager.determineRetryAction(envelope({ retryCount: 3 }), new Error("x")),
    {
      shouldRetry: false,
      delay: 0,
      nextAvailableTime: now,
      newRetryCount: 3,
      shouldMoveToDeadLetter: true,
    },
  );
});

Deno.test("a RecoverableError is retried however often it was, after its own delay", () => {
  const error = new RecoverableError("busy", { retryDelay: 1234 });
  const result = manager().manager.determineRetryAction(envelope({ retryCount: 99 }), error);
  assertEquals([result.shouldRetry, result.delay, result.newRetryCount], [true, 1234, 100]);
});

Deno.test("a RecoverableError that counts against the limit respects maxRetries", () => {
  const error = new RecoverableError("busy", { countsAgainstLimit: true });
  const decide = (retryCount: number) =>
    manager().manager.determineRetryAction(envelope({ retryCount }), error).shouldRetry;
  assertEquals([decide(2), decide(3)], [true, false]);
});

Deno.test("an UnrecoverableError is the end at the first attempt", () => {
  const result = manager().manager.determineRetryAction(envelope(), new UnrecoverableError("no"));
  assertEquals([result.shouldRetry, result.shouldMoveToDeadLetter], [false, true]);
});

Deno.test("an HTTP 503 is retried after its Retry-After, an HTTP 404 is the end", () => {
  const response = new Response(null, { status: 503, headers: { "retry-after": "7" } });
  const { manager: retry } = manager();
  assertEquals(
    retry.determineRetryAction(envelope(), HttpError.fromResponse(response)).delay,
    7000,
  );
  assertEquals(retry.determineRetryAction(envelope(), new HttpError(404)).shouldRetry, false);
});

Deno.test("a type's own backoff is respected, and what it leaves out is inherited", () => {
  const { manager: retry } = manager({ retry: { maxRetries: 5, delay: "2s" } });
  const result = retry.determineRetryAction(envelope({ retryCount: 4 }), new Error("x"));
  assertEquals([result.shouldRetry, result.delay], [true, 30_000]);
});

Deno.test("a type's own strategy is respected", () => {
  const { manager: retry } = manager({ retry: new FixedDelaysRetryStrategy([10, 20]) });
  const delay = (retryCount: number) =>
    retry.determineRetryAction(envelope({ retryCount }), new Error("x")).delay;
  assertEquals([delay(0), delay(1), delay(2)], [10, 20, 0]);
});

Deno.test("a type's own classifier goes before the general rules, and may leave an error to them", () => {
  const { manager: retry } = manager({
    classify: (error) => error instanceof TypeError ? { kind: "unrecoverable" } : undefined,
  });
  const retried = (error: unknown) => retry.determineRetryAction(envelope(), error).shouldRetry;
  assertEquals([retried(new TypeError("x")), retried(new Error("x"))], [false, true]);
});

Deno.test("of several handlers' errors, one that may pass is enough for a retry", () => {
  const errors = [new UnrecoverableError("no"), new RecoverableError("busy")];
  const { manager: retry } = manager();
  for (const order of [errors, errors.toReversed()]) {
    const error = new HandlersFailedError(order.map((error, n) => ({ handler: `h${n}`, error })));
    assertEquals(retry.determineRetryAction(envelope(), error).shouldRetry, true);
  }
});

Deno.test("handleFailedMessage writes the retry under the envelope's lease", async () => {
  const { transport, manager: retry } = manager({ retry: { delay: 60_000, maxDelay: 0 } });
  await transport.send([{ type: "T", payload: 1 }]);
  const claim = { token: crypto.randomUUID(), maxMessages: 1, leaseMs: 60_000 };
  const { messages: [claimed] } = await transport.claim(claim);
  if (!claimed) throw new Error("nothing was claimed");
  const result = await retry.handleFailedMessage(claimed, new Error("no route"), transport);
  assertEquals([result.shouldRetry, result.delay], [true, 60_000]);
  const [waiting] = transport.messages;
  assertEquals([waiting?.retryCount, waiting?.errors[0]?.message], [1, "no route"]);
});

Deno.test("handleFailedMessage moves the message to the dead letters, and tells the hook", async () => {
  const told: unknown[] = [];
  const { transport, manager: retry } = manager({
    onDeadLetter: ({ reason, envelope }) => told.push([reason, envelope.id]),
  });
  await transport.send([{ type: "T", payload: 1 }]);
  const claim = { token: crypto.randomUUID(), maxMessages: 1, leaseMs: 60_000 };
  const { messages: [claimed] } = await transport.claim(claim);
  if (!claimed) throw new Error("nothing was claimed");
  await retry.handleFailedMessage(claimed, new UnrecoverableError("no"), transport);
  assertEquals([transport.messages.length, transport.failed[0]?.reason], [0, "unrecoverable"]);
  assertEquals(told, [["unrecoverable", claimed.id]]);
});

Deno.test("handleFailedMessage under a lost lease changes nothing, and no hook is told", async () => {
  const told: unknown[] = [];
  const { transport, manager: retry } = manager({ onRetry: () => told.push("retry") });
  await transport.send([{ type: "T", payload: 1 }]);
  await retry.handleFailedMessage(envelope({ leaseToken: "old" }), new Error("x"), transport);
  assertEquals([transport.messages[0]?.retryCount, told], [0, []]);
});

Deno.test("handleFailedMessage passes on that the database is away", async () => {
  const { transport, manager: retry } = manager();
  transport.settle = () => Promise.reject(new TransportError("settle", "away", true));
  await assertRejects(
    () => retry.handleFailedMessage(envelope(), new Error("x"), transport),
    TransportError,
    "away",
  );
});

/** Has a manager that does not know the type look at a message until it gives it up. */
function lookUntilDead(first: Envelope) {
  const { manager: retry } = manager();
  const delays: number[] = [];
  let seen = first;
  for (;;) {
    const outcome = retry.decide(seen, new UnknownMessageTypeError(seen.type), { durationMs: 0 });
    if (outcome.kind === "dead") return { delays, outcome, seen };
    delays.push(outcome.delayMs);
    seen = {
      ...seen,
      retryCount: outcome.retryCount,
      attempts: seen.attempts + 1,
      stamps: outcome.stamps ?? seen.stamps,
    };
  }
}

Deno.test("a message of unknown type waits some minutes for a worker that knows it, then it is dead", () => {
  const { delays, outcome, seen } = lookUntilDead(envelope({ type: "New" }));
  assertEquals(delays, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000]);
  assertEquals([outcome.reason, seen.retryCount], ["unknown_type", 0]);
});

Deno.test("the wait of an unknown type begins again with a redrive, and after another failure", () => {
  const { seen } = lookUntilDead(envelope({ type: "New" }));
  const redriven = { ...seen, attempts: 1 };
  assertEquals(lookUntilDead(redriven).delays.length, 7);
  assertEquals(lookUntilDead({ ...seen, attempts: 9 }).delays.length, 7);
});

Deno.test("a handler that dispatches an unknown type has failed for good itself", () => {
  const outcome = manager().manager.decide(envelope(), new UnknownMessageTypeError("Other"), {
    durationMs: 0,
  });
  assertEquals(outcome.kind === "dead" && outcome.reason, "unrecoverable");
});

Deno.test("the errors of many handlers are cut to what a history keeps, and none is left out", () => {
  const failures = Array.from({ length: 40 }, (_, n) => ({
    handler: `h${n}`,
    error: new Error(`${n} ${"m".repeat(2_000)}`, { cause: new Error("c".repeat(4_000)) }),
  }));
  const { errors } = manager().manager.decide(envelope(), new HandlersFailedError(failures), {
    durationMs: 0,
  });
  assertEquals(errors.map(({ handler }) => handler), failures.map(({ handler }) => handler));
  assert(errors.every(({ message }, n) => message.startsWith(`${n} mmm`)));
  assert(JSON.stringify(errors).length < 65_536);
});
