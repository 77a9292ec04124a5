/** Results of users' rules are checked; all delays pass one bound; interruptions cost no attempt. */

import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import {
  defineMessage,
  ExponentialBackoffRetryStrategy,
  type HandlerFailure,
  HandlersFailedError,
  LeaseLostError,
  RetryManager,
  type RetryStrategy,
  WorkerStoppedError,
} from "../../../supabase/functions/_shared/symphony/index.ts";
import type { Settlement } from "../../../supabase/functions/_shared/symphony/message/outcome.ts";
import { InMemoryTransport } from "../../../supabase/functions/_shared/symphony/testing.ts";
import { workbench } from "../../support/worker.ts";

import { envelope, managing } from "./fixtures/managing.ts";

Deno.test("a rule that gives anything but a classification is logged, and the general rules hold", () => {
  const wrong: unknown[] = [
    Promise.resolve({ kind: "unrecoverable" }),
    Promise.reject(new Error("lost")),
    { kind: "retry" },
    {},
    true,
    "recoverable",
    { kind: "recoverable", countsAgainstLimit: "yes" },
    { kind: "recoverable", countsAgainstLimit: true, retryDelay: NaN },
    { kind: "recoverable", countsAgainstLimit: true, retryDelay: -1 },
    { kind: "recoverable", countsAgainstLimit: true, retryDelay: Infinity },
    { kind: "recoverable", countsAgainstLimit: true, retryDelay: "soon" },
  ];
  for (const answer of wrong) {
    const { manager, lines } = managing({ classify: () => answer as never });
    const result = manager.determineRetryAction(envelope(), new Error("x"));
    assertEquals([result.shouldRetry, result.delay], [true, 1000]);
    assertEquals(lines.map(({ event, rule }) => [event, rule]), [[
      "retry_rule_failed",
      "classify",
    ]]);
  }
});

Deno.test("a strategy that returns an invalid result is logged, and the general one holds", () => {
  for (
    const strategy of [
      { getDelay: () => NaN, shouldRetry: () => true },
      { getDelay: () => Infinity, shouldRetry: () => true },
      { getDelay: () => -5, shouldRetry: () => true },
      { getDelay: () => "1s", shouldRetry: () => true },
      { getDelay: () => Promise.resolve(5), shouldRetry: () => true },
      { getDelay: () => 1000, shouldRetry: () => Promise.resolve(true) },
      { getDelay: () => 1000, shouldRetry: () => "no" },
    ]
  ) {
    const { manager, lines } = managing({ retry: strategy as unknown as RetryStrategy });
    const decide = (retryCount: number) =>
      manager.determineRetryAction(envelope({ retryCount }), new Error("x"));
    assertEquals([decide(0).shouldRetry, decide(0).delay], [true, 1000]);
    assertEquals(lines.map(({ event }) => event), ["retry_rule_failed"]);
  }
  const { manager } = managing({
    retry: { getDelay: () => 0, shouldRetry: () => Promise.resolve(true) } as never,
  });
  assertEquals(
    manager.determineRetryAction(envelope({ retryCount: 3 }), new Error("x")).shouldRetry,
    false,
  );
});

Deno.test("where a type's own strategy is wrong, the bus's holds, and where that is too, the defaults", () => {
  const broken = {
    getDelay: () => NaN,
    shouldRetry: () => {
      throw new Error("broken rule");
    },
  };
  const general = {
    getDelay: (retryCount: number) => 700 + retryCount,
    shouldRetry: (retryCount: number) => retryCount < 1,
  };
  const decide = (strategy: RetryStrategy, retryCount: number) => {
    const { manager } = managing({ retry: broken }, strategy);
    const result = manager.determineRetryAction(envelope({ retryCount }), new Error("x"));
    return [result.shouldRetry, result.delay];
  };
  assertEquals([decide(general, 0), decide(general, 1)], [[true, 700], [false, 0]]);
  assertEquals([decide(broken, 2), decide(broken, 3)], [[true, 4_000], [false, 0]]);
});

Deno.test("whatever was thrown and whatever the row holds, a decision is made", () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const { manager } = managing();
  for (const thrown of [proxy, null, undefined, Symbol("x"), () => {}, Object.create(null)]) {
    assertEquals(manager.determineRetryAction(envelope(), thrown).delay, 1_000);
  }
  for (const retryCount of [-1, NaN, 0.5, Infinity]) {
    const result = manager.determineRetryAction(envelope({ retryCount }), new Error("x"));
    assertEquals([result.delay, result.newRetryCount], [1_000, 1]);
  }
});

Deno.test("rules that are methods of a class are called on their object", () => {
  class Rules implements RetryStrategy {
    readonly wait = 1234;
    getDelay() {
      return this.wait;
    }
    shouldRetry() {
      return this.wait > 0;
    }
  }
  const { manager, lines } = managing({ retry: new Rules() });
  assertEquals(manager.determineRetryAction(envelope(), new Error("x")).delay, 1234);
  assertEquals(lines, []);
});

Deno.test("a rule that is always wrong is not logged for each of many messages", () => {
  const { manager, lines } = managing({ classify: () => ({}) as never });
  for (let n = 0; n < 500; n++) manager.determineRetryAction(envelope(), new Error("x"));
  assertEquals(lines.length, 1);
});

Deno.test("an async rule loses no outcome of the other messages of its batch", async () => {
  const wrong = defineMessage({
    type: "Wrong",
    schema: z.unknown(),
    classify: (() => Promise.resolve({ kind: "unrecoverable" })) as never,
    retry: { maxRetries: 0 },
    handler: () => {
      throw new Error("x");
    },
  });
  const right = defineMessage({ type: "Right", schema: z.unknown(), handler: () => {} });
  const { bus, memory, work } = workbench([wrong, right]);
  await bus.dispatch(wrong, {});
  for (let n = 0; n < 5; n++) await bus.dispatch(right, {});
  assertEquals(await work(), { claimed: 6, handled: 5, retried: 0, failed: 1 });
  assertEquals(memory.failed.map(({ reason }) => reason), ["exhausted"]);
});

Deno.test("an interruption charges no retry, keeps what handlers did, and has a bound of its own", () => {
  const { manager } = managing({ retry: { maxRetries: 0 } });
  for (const error of [new WorkerStoppedError(), new LeaseLostError()]) {
    const outcome = manager.decide(envelope({ interruptions: 9 }), error, {
      durationMs: 300,
      handledBy: ["audit"],
    });
    if (outcome.kind !== "retry") throw new Error(outcome.reason);
    assertEquals(
      [outcome.retryCount, outcome.interrupted, outcome.delayMs, outcome.stamps],
      [0, true, 100, { handledBy: ["audit"] }],
    );
    assertEquals(outcome.errors.map((entry) => entry.class), [error.name]);
    const last = manager.decide(envelope({ interruptions: 10 }), error, { durationMs: 300 });
    assertEquals([last.kind, last.kind === "dead" && last.reason], ["dead", "interrupted"]);
  }
});

Deno.test("of several handlers' errors all have to be interruptions for the attempt to be one", () => {
  const { manager } = managing({ retry: { maxRetries: 0 } });
  const stopped = { handler: "a", error: new WorkerStoppedError() };
  const failed = { handler: "b", error: new Error("x") };
  const decide = (...failures: HandlerFailure[]) =>
    manager.decide(envelope(), new HandlersFailedError(failures), { durationMs: 5 }).kind;
  assertEquals([decide(stopped, stopped), decide(stopped, failed)], ["retry", "dead"]);
});

Deno.test("an interruption is no retry that onRetry is told of, and its last one is the end", async () => {
  const told: string[] = [];
  const { manager } = managing({
    onRetry: ({ delayMs }) => told.push(`retry after ${delayMs} ms`),
    onDeadLetter: ({ reason }) => told.push(reason),
  });
  for (const interruptions of [0, 10]) {
    const interrupted = envelope({ interruptions });
    const outcome = manager.decide(interrupted, new WorkerStoppedError(), { durationMs: 1 });
    await manager.runHooks(interrupted, outcome);
  }
  assertEquals(told, ["interrupted"]);
});

Deno.test("the failure of a message in a group is written with its group", async () => {
  const written: Settlement[] = [];
  class Watched extends InMemoryTransport {
    override settle(settlements: readonly Settlement[]) {
      written.push(...settlements);
      return super.settle(settlements);
    }
  }
  const transport = new Watched();
  await transport.send([{ type: "T", payload: {}, groupKey: "g" }]);
  const claim = { token: crypto.randomUUID(), maxMessages: 1, leaseMs: 1_000 };
  const { messages: [claimed] } = await transport.claim(claim);
  if (!claimed) throw new Error("nothing was claimed");
  await managing().manager.handleFailedMessage(claimed, new Error("x"), transport);
  assertEquals(written.map(({ grouped }) => grouped), [true]);
});

Deno.test("a manager without a transport writes to the one that a call gives, and names it if none does", async () => {
  const transport = new InMemoryTransport();
  await transport.send([{ type: "T", payload: {} }]);
  const { messages: [claimed] } = await transport.claim({
    token: crypto.randomUUID(),
    maxMessages: 1,
    leaseMs: 1_000,
  });
  if (!claimed) throw new Error("nothing was claimed");
  const manager = new RetryManager({ strategy: new ExponentialBackoffRetryStrategy() });
  await assertRejects(
    () => manager.handleFailedMessage(claimed, new Error("x")),
    RangeError,
    "transport: ",
  );
  const result = await manager.handleFailedMessage(claimed, new Error("x"), transport);
  assertEquals([result.shouldRetry, transport.messages[0]?.retryCount], [true, 1]);
});
