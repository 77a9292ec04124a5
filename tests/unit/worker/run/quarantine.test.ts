/** A message that was in a crash runs with no other beside it. */

import { assertEquals } from "@std/assert";
import { CrashError } from "../../../../supabase/functions/_shared/symphony/message/errors.ts";
import { define, defineLate } from "../../../support/definitions.ts";
import type { InMemoryTransport } from "../../../../supabase/functions/_shared/symphony/testing.ts";
import { workbench } from "../../../support/worker.ts";

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Writes the outcome of the one message that is due, "alone": it comes again at once, quarantined. */
async function quarantine(memory: InMemoryTransport): Promise<void> {
  const [crashed] = (await memory.claim({ token: "a", maxMessages: 1, leaseMs: 60_000 })).messages;
  assertEquals(crashed?.payload, "alone");
  const { id = "", leaseToken = "" } = crashed ?? {};
  const retry = {
    kind: "retry",
    delayMs: 0,
    retryCount: 0,
    quarantined: true,
    errors: [],
  } as const;
  await memory.settle([{ id, leaseToken, outcome: retry }]);
}

Deno.test("messages of a crashed worker run one at a time, and are handled", async () => {
  let running = 0;
  const company: number[] = [];
  const { bus, memory, work } = workbench([define(async () => {
    company.push(++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
  })]);
  await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
  // A worker claims them and dies: its lease is over at once.
  await memory.claim({ token: crypto.randomUUID(), maxMessages: 10, leaseMs: 0 });
  const report = await work();
  assertEquals([report.handled, report.failed, memory.messages.length], [3, 0, 0]);
  assertEquals(company, [1, 1, 1]);
});

Deno.test("only a crash of a message that ran with no other beside it counts, and the last allowed crash makes it a dead letter", async () => {
  const { bus, memory, work, retry } = workbench([define(() => {}, { retry: { maxRetries: 1 } })]);
  await bus.dispatchAll([{ type: "T", payload: 1 }]);
  const crash = async (quarantined: boolean) => {
    const claim = { token: crypto.randomUUID(), maxMessages: 1, leaseMs: 0, sweep: false };
    await memory.claim({ ...claim, quarantined });
    const { crashed } = await memory.claim({ ...claim, token: crypto.randomUUID(), sweep: true });
    for (const envelope of crashed) {
      const outcome = retry.decide(envelope, new CrashError(), { durationMs: 0 });
      const settled = outcome.kind === "retry" ? { ...outcome, delayMs: 0 } : outcome;
      const { id, leaseToken } = envelope;
      await memory.settle([{ id, leaseToken, outcome: settled }]);
    }
  };
  const state = () =>
    memory.messages.map(({ retryCount, quarantined }) => [retryCount, quarantined]);
  await crash(false);
  assertEquals(state(), [[0, true]]);
  await crash(true);
  assertEquals(state(), [[1, true]]);
  await crash(true);
  assertEquals([state(), memory.failed[0]?.reason], [[], "crashed"]);
  assertEquals((await work()).claimed, 0);
});

Deno.test("a message that waits for another tick's quarantined message is given back at the end", async () => {
  const runs: unknown[] = [];
  const finish = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const { bus, memory, work } = workbench([
    defineLate(async (payload) => {
      runs.push(payload);
      started.resolve();
      await finish.promise;
    }),
  ]);
  await memory.send([{ type: "T", payload: "alone" }]);
  await quarantine(memory);
  const first = work();
  await started.promise;

  await bus.dispatchAll([{ type: "T", payload: "waits" }]);
  const stop = new AbortController();
  const second = work({ signal: stop.signal });
  const waits = () => memory.messages.find(({ payload }) => payload === "waits");
  while (waits()?.leaseToken === "") await sleep(1);
  await sleep(1);
  stop.abort();
  finish.resolve();
  assertEquals([(await first).handled, (await second).claimed, runs], [1, 0, ["alone"]]);
  assertEquals(waits()?.attempts, 0);
});

Deno.test("a quarantined message waits for a handler that an ended worker left behind", async () => {
  const order: unknown[] = [];
  const finish = Promise.withResolvers<void>();
  const { bus, memory, work } = workbench([
    defineLate(async (payload) => {
      order.push(payload);
      if (payload === "deaf") await finish.promise.then(() => order.push("deaf ended"));
    }),
  ]);
  await bus.dispatchAll([{ type: "T", payload: "deaf" }]);
  await work({ budgetMs: 400, maxMs: 450 });

  await memory.send([{ type: "T", payload: "alone" }]);
  await quarantine(memory);
  const second = work();
  const alone = () => memory.messages.find(({ payload }) => payload === "alone");
  while (alone()?.leaseToken === "") await sleep(1);
  await sleep(5);
  finish.resolve();
  await second;
  assertEquals(order.slice(0, 3), ["deaf", "deaf ended", "alone"]);
});
