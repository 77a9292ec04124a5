/** Promises of every transport: lanes, the queues of tenants under one queue. */

import { assertEquals } from "@std/assert";
import type { Claim } from "../../supabase/functions/_shared/symphony/transport/receiver.ts";
import { claim, inGroup, payloads, settle, type TransportUnderTest } from "./under_test.ts";
import { promises } from "./promises.ts";

const inLane = (lane: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({
    type: "T",
    payload: `${lane}${n}`,
    queue: `reports/${lane}`,
  }));

/** How many messages of each queue a claim has. */
function queuesOf({ messages }: Claim): Record<string, number> {
  const byQueue = Map.groupBy(messages, ({ queue }) => queue);
  return Object.fromEntries([...byQueue].map(([queue, { length }]) => [queue, length]).sort());
}

/** Registers the suite for one transport. */
export function testLanes(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("lanes share what their queue gets of a claim", async (t) => {
    await t.transport.send(inLane("acme", 50));
    await t.transport.send([...inLane("globex", 1), { type: "T", payload: 0, queue: "mail" }]);
    await t.transport.send(Array.from({ length: 50 }, () => ({ type: "T", payload: 0 })));
    const first = await claim(t.transport, { maxMessages: 12 });
    const { default: others = 0, "reports/acme": acme = 0, ...small } = queuesOf(first);
    assertEquals([small, others + acme], [{ mail: 1, "reports/globex": 1 }, 10]);
    assertEquals([others >= 4, acme >= 2], [true, true]);
    const named = await claim(t.transport, { maxMessages: 3, queues: ["reports"] });
    assertEquals(queuesOf(named), { "reports/acme": 3 });
  });

  promise("no lane is left out of a claim that its lanes do not divide", async (t) => {
    await t.transport.send(["a", "b", "c"].flatMap((lane) => inLane(lane, 20)));
    for (const [maxMessages, shares] of [[4, [1, 1, 2]], [7, [2, 2, 3]]] as const) {
      const taken = queuesOf(await claim(t.transport, { maxMessages, queues: ["reports"] }));
      assertEquals(Object.values(taken).sort(), [...shares]);
    }
    await t.setQueue("reports/a", { weight: 1_000 });
    const beside = await claim(t.transport, { maxMessages: 6, queues: ["reports"] });
    assertEquals(queuesOf(beside), { "reports/a": 4, "reports/b": 1, "reports/c": 1 });
  });

  promise("what another queue leaves goes to the lanes, whatever their priorities", async (t) => {
    await t.transport.send([{ type: "T", payload: "mail", queue: "mail" }]);
    await t.transport.send(
      ["a", "b", "c"].flatMap((lane) =>
        [1, 2, 3, 4].flatMap((priority) =>
          inLane(lane, 2).map((message) => ({ ...message, priority }))
        )
      ),
    );
    const { messages } = await claim(t.transport, { maxMessages: 20 });
    assertEquals([messages.length, new Set(messages.map(({ id }) => id)).size], [20, 20]);
    assertEquals((await claim(t.transport, { maxMessages: 20 })).messages.length, 5);
  });

  promise("a lane's weight counts beside the other lanes of its queue", async (t) => {
    await t.setQueue("reports/gold", { weight: 3 });
    await t.transport.send([...inLane("gold", 20), ...inLane("iron", 20)]);
    const { messages } = await claim(t.transport, { maxMessages: 8 });
    assertEquals(messages.filter(({ queue }) => queue === "reports/gold").length, 6);
  });

  promise("a claim by name takes a queue with its lanes, or one lane", async (t) => {
    await t.transport.send([...inLane("a", 2), ...inLane("b", 2)]);
    await t.transport.send([{ type: "T", payload: "own", queue: "reports" }]);
    assertEquals(queuesOf(await claim(t.transport, { queues: ["reports/b"] })), { "reports/b": 2 });
    assertEquals(queuesOf(await claim(t.transport, { queues: ["report", "a"] })), {});
    assertEquals(queuesOf(await claim(t.transport, { queues: ["reports"] })), {
      reports: 1,
      "reports/a": 2,
    });
  });

  promise("a pause holds a lane, or all lanes of a queue", async (t) => {
    await t.transport.send([...inLane("a", 1), ...inLane("b", 1)]);
    await t.setQueue("reports/a", { paused: true });
    const first = await claim(t.transport);
    assertEquals(payloads(first), ["b0"]);
    assertEquals((await claim(t.transport)).nextDueMs, null);
    await t.setQueue("reports/a", { paused: false });
    await t.setQueue("reports", { paused: true });
    const held = await claim(t.transport);
    assertEquals([payloads(held), held.nextDueMs], [[], null]);
    await t.setQueue("reports", { paused: false });
    assertEquals(payloads(await claim(t.transport)), ["a0"]);
  });

  promise("a queue's limit for lanes holds for each of them", async (t) => {
    await t.setQueue("reports", { laneConcurrency: 2 });
    await t.setQueue("reports/big", { concurrency: 3 });
    await t.transport.send(["a", "b", "big"].flatMap((lane) => inLane(lane, 5)));
    const first = await claim(t.transport);
    assertEquals(queuesOf(first), { "reports/a": 2, "reports/b": 2, "reports/big": 3 });
    const full = await claim(t.transport);
    assertEquals(payloads(full), []);
    assertEquals(full.nextDueMs !== null && full.nextDueMs > 55_000, true);
    await settle(t.transport, first.messages.filter(({ queue }) => queue === "reports/b"));
    assertEquals(queuesOf(await claim(t.transport)), { "reports/b": 2 });
  });

  promise("a queue's own limits hold for its lanes together", async (t) => {
    await t.setQueue("reports", { concurrency: 4 });
    await t.transport.send([...inLane("a", 5), ...inLane("b", 5)]);
    const first = await claim(t.transport);
    assertEquals(queuesOf(first), { "reports/a": 2, "reports/b": 2 });
    assertEquals(payloads(await claim(t.transport)), []);
    await settle(t.transport, first.messages.slice(0, 1));
    assertEquals((await claim(t.transport)).messages.length, 1);
  });

  promise("a rate holds for each lane, and for their queue", async (t) => {
    await t.setQueue("reports", { rateLimit: 5, ratePeriodMs: 60_000 });
    await t.setQueue("reports", { laneRateLimit: 2, laneRatePeriodMs: 60_000 });
    await t.transport.send(["a", "b", "c"].flatMap((lane) => inLane(lane, 5)));
    const first = await claim(t.transport, { slots: 50 });
    assertEquals(Object.values(queuesOf(first)).sort(), [1, 2, 2]);
    assertEquals(first.messages.every(({ startWindowMs }) => startWindowMs !== undefined), true);
    const full = await claim(t.transport, { slots: 50 });
    assertEquals([payloads(full), (full.nextDueMs ?? 0) >= 60_000], [[], true]);
  });

  promise("the same group key in two lanes is two groups", async (t) => {
    for (const lane of ["a", "b"]) {
      await t.transport.send(
        [1, 2].map((n) => inGroup("g", `${lane}${n}`, { queue: `reports/${lane}` })),
      );
    }
    const first = await claim(t.transport);
    assertEquals(payloads(first), ["a1", "b1"]);
    await settle(t.transport, first.messages.slice(0, 1));
    assertEquals(payloads(await claim(t.transport)), ["a2"]);
  });

  promise("a cancel by the queue means all of its lanes", async (t) => {
    await t.transport.send([...inLane("a", 2), ...inLane("b", 1)]);
    await t.transport.send([{ type: "T", payload: 0, queue: "reports-old" }]);
    assertEquals(await t.transport.cancel({ queue: "reports/a" }), { cancelled: 2, running: 0 });
    assertEquals(await t.transport.cancel({ queue: "reports" }), { cancelled: 1, running: 0 });
    assertEquals(payloads(await claim(t.transport)), [0]);
  });
}
