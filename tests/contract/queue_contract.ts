/** Promises of every transport: the limits of queues, and what has expired. */

import { assertEquals } from "@std/assert";
import type { QueueSettings } from "../../supabase/functions/_shared/symphony/testing.ts";
import type { ClaimRequest } from "../../supabase/functions/_shared/symphony/transport/receiver.ts";
import {
  claim,
  claimOf,
  inGroup,
  payloads,
  settle,
  type TransportUnderTest,
} from "./under_test.ts";
import { promises } from "./promises.ts";

/** Registers the suite for one transport. */
export function testQueues(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("a paused queue keeps accepting and gives nothing", async (t) => {
    await t.setQueue("mail", { paused: true });
    await t.transport.send([{ type: "T", payload: 1, queue: "mail" }]);
    const paused = await claim(t.transport);
    assertEquals([payloads(paused), paused.nextDueMs], [[], null]);
    await t.setQueue("mail", { paused: false });
    assertEquals(payloads(await claim(t.transport)), [1]);
  });

  promise("no more messages of a queue are leased than its concurrency", async (t) => {
    await t.setQueue("mail", { concurrency: 2 });
    await t.transport.send([1, 2, 3, 4].map((payload) => ({ type: "T", payload, queue: "mail" })));
    await t.transport.send([{ type: "T", payload: 5 }]);
    const first = await claim(t.transport);
    assertEquals(payloads(first), [1, 2, 5]);
    const full = await claim(t.transport);
    // Until a lease ends, at the latest.
    assertEquals(payloads(full), []);
    assertEquals(full.nextDueMs !== null && full.nextDueMs > 55_000, true);
    await settle(t.transport, first.messages.slice(0, 1));
    assertEquals(payloads(await claim(t.transport)), [3]);
  });

  promise("a concurrency of one is not stuck after its worker died", async (t) => {
    await t.setQueue("mail", { concurrency: 1 });
    await t.transport.send([1, 2].map((payload) => ({ type: "T", payload, queue: "mail" })));
    await claim(t.transport);
    await t.advance(60_001);
    assertEquals(payloads(await claim(t.transport, { sweep: false })), [2]);
  });

  promise("no more messages are given in a period than the rate allows", async (t) => {
    await t.setQueue("mail", { rateLimit: 3, ratePeriodMs: 60_000 });
    const message = { type: "T", payload: 1, queue: "mail" };
    await t.transport.send(Array.from({ length: 9 }, () => message));
    // The database's clock runs on meanwhile, by less than a window.
    const startWindowMs = 20_000;
    const first = await claim(t.transport, { startWindowMs });
    assertEquals(first.messages.map((one) => one.startWindowMs), Array(3).fill(startWindowMs));
    await settle(t.transport, first.messages);
    const full = await claim(t.transport, { startWindowMs });
    assertEquals(payloads(full), []);
    assertEquals(full.nextDueMs !== null && full.nextDueMs >= 60_000, true);
    await t.advance(60_000);
    assertEquals(payloads(await claim(t.transport, { startWindowMs })), []);
    // Grants are counted in hundredths of the period.
    await t.advance(startWindowMs + 1_000);
    assertEquals((await claim(t.transport, { startWindowMs })).messages.length, 3);
  });

  promise("a rate counts the starts of each claim in its period", async (t) => {
    await t.setQueue("mail", { rateLimit: 3, ratePeriodMs: 60_000 });
    const message = { type: "T", payload: 1, queue: "mail" };
    await t.transport.send(Array.from({ length: 5 }, () => message));
    const given: number[] = [];
    for (const maxMessages of [1, 1, 5]) {
      given.push((await claim(t.transport, { maxMessages })).messages.length);
    }
    assertEquals(given, [1, 1, 1]);
  });

  promise("what has expired takes no start and no place from what lives", async (t) => {
    for (const settings of [{ rateLimit: 2, ratePeriodMs: 60_000 }, { concurrency: 2 }]) {
      const queue = Object.keys(settings)[0] ?? "";
      await t.setQueue(queue, settings);
      const brief = Array.from(
        { length: 30 },
        () => ({ type: "T", payload: 0, queue, ttlMs: 1_000 }),
      );
      await t.transport.send(brief);
      await t.advance(1_001);
      await t.transport.send([1, 2, 3].map((payload) => ({ type: "T", payload, queue })));
      const { messages } = await claim(t.transport, { queues: [queue] });
      assertEquals(messages.filter(({ expired }) => expired).length, 30);
      assertEquals(messages.filter(({ expired }) => !expired).map(({ payload }) => payload), [
        1,
        2,
      ]);
    }
  });

  const brief = { type: "T", payload: "brief", queue: "held", ttlMs: 1_000 };
  const held: [string, QueueSettings, Partial<ClaimRequest>][] = [
    ["is paused", { paused: true }, {}],
    ["has no place left", { concurrency: 1 }, {}],
    ["has no start left", { rateLimit: 1, ratePeriodMs: 60_000 }, {}],
    ["has a rate, where no slot is free", { rateLimit: 10 }, { slots: 0 }],
  ];
  for (const [why, settings, request] of held) {
    promise(
      `a sweep gives what has expired in a queue that ${why}, and nothing else`,
      async (t) => {
        await t.setQueue("held", { ...settings, paused: false });
        await t.transport.send([{ type: "T", payload: "runs", queue: "held" }]);
        const runs = await claim(t.transport, request);
        await t.setQueue("held", settings);
        await t.transport.send([brief, { ...brief, payload: "lives", ttlMs: 60_000 }]);
        await t.advance(1_001);
        assertEquals(payloads(await claim(t.transport, { ...request, sweep: false })), []);
        const { messages } = await claim(t.transport, request);
        assertEquals(messages.map(({ payload, expired }) => [payload, expired]), [["brief", true]]);
        await settle(t.transport, messages, { kind: "dead", reason: "expired", errors: [] });
        assertEquals((await t.failed()).map(({ reason }) => reason), ["expired"]);
        assertEquals(payloads(await claim(t.transport, request)), []);
        assertEquals(runs.messages.length <= 1, true);
      },
    );
  }

  promise(
    "a sweep gives what has expired and had to run alone, and what waits to be retried",
    async (t) => {
      await t.transport.send([brief, brief]);
      const { messages: [one, other] } = await claim(t.transport);
      if (!one || !other) throw new Error("two were sent");
      const retry = { kind: "retry", retryCount: 1, errors: [] } as const;
      await settle(t.transport, [one], { ...retry, delayMs: 0, quarantined: true });
      await settle(t.transport, [other], { ...retry, delayMs: 60_000 });
      await t.advance(1_001);
      assertEquals((await claim(t.transport, { sweep: false })).messages.length, 0);
      const { messages } = await claim(t.transport);
      assertEquals(messages.map(({ expired }) => expired), [true, true]);
    },
  );

  promise("what has expired behind another message of its group waits for its turn", async (t) => {
    await t.transport.send([inGroup("g", 1)]);
    await t.transport.send([inGroup("g", 2, { ttlMs: 1_000 })]);
    const first = await claim(t.transport);
    await t.transport.send([inGroup("h", 3, { delayMs: 60_000 })]);
    await t.transport.send([inGroup("h", 4, { ttlMs: 1_000 })]);
    await t.advance(1_001);
    assertEquals([payloads(first), payloads(await claim(t.transport))], [[1], []]);
    await settle(t.transport, first.messages);
    assertEquals(payloads(await claim(t.transport)), [2]);
  });

  promise("a sweep gives no more of what has expired than it is asked for", async (t) => {
    await t.setQueue("held", { paused: true });
    await t.transport.send([brief, brief, brief, { ...brief, queue: "else" }]);
    await t.advance(1_001);
    const few = { queues: ["held"], maxMessages: 2 };
    assertEquals((await claim(t.transport, few)).messages.length, 2);
    assertEquals((await claim(t.transport, { ...few, maxMessages: 0 })).messages.length, 0);
    assertEquals((await claim(t.transport, few)).messages.length, 1);
    assertEquals((await claim(t.transport)).messages.map(({ queue }) => queue), ["else"]);
  });

  promise("what has expired shares a sweep's bytes with what lives", async (t) => {
    await t.setQueue("held", { paused: true });
    const payload = "x".repeat(600_000);
    await t.transport.send([{ ...brief, payload }]);
    await t.advance(1_001);
    await t.transport.send([{ type: "T", payload: "lives" }]);
    const large = await claim(t.transport, { maxBytes: 1_000_000 });
    assertEquals([large.messages.length, large.messages[0]?.expired, large.more], [1, true, true]);
    assertEquals(payloads(await claim(t.transport)), ["lives"]);
  });

  promise("of a queue with a rate no more are given than can start at once", async (t) => {
    await t.setQueue("mail", { rateLimit: 10 });
    await t.transport.send([1, 2, 3].map((payload) => ({ type: "T", payload, queue: "mail" })));
    await t.transport.send([4, 5, 6].map((payload) => ({ type: "T", payload })));
    assertEquals(payloads(await claim(t.transport, { slots: 1 })), [1, 4, 5, 6]);
  });

  promise("of several queues with rates no more are given than can start at once", async (t) => {
    for (const queue of ["mail", "sms"]) {
      await t.setQueue(queue, { rateLimit: 10 });
      await t.transport.send([1, 2].map((payload) => ({ type: "T", payload, queue })));
    }
    assertEquals((await claim(t.transport, { slots: 1 })).messages.length, 1);
    assertEquals((await claim(t.transport, { slots: 0 })).messages.length, 0);
    assertEquals((await claim(t.transport, { slots: 9 })).messages.length, 3);
  });

  promise("queues share a claim by their weights", async (t) => {
    await t.setQueue("heavy", { weight: 3 });
    await t.setQueue("light", { weight: 1 });
    const many = (queue: string) =>
      Array.from({ length: 20 }, () => ({ type: "T", payload: queue, queue }));
    await t.transport.send([...many("heavy"), ...many("light")]);
    const given = payloads(
      await claim(t.transport, { maxMessages: 8, queues: ["heavy", "light"] }),
    );
    const heavy = given.filter((queue) => queue === "heavy").length;
    assertEquals([given.length, heavy], [8, 6]);
  });

  promise("what one queue leaves of its share goes to the others", async (t) => {
    await t.setQueue("heavy", { weight: 100 });
    const many = Array.from({ length: 20 }, () => ({ type: "T", payload: 1, queue: "light" }));
    await t.transport.send([...many, { type: "T", payload: 2, queue: "heavy" }]);
    const given = await claim(t.transport, { maxMessages: 10 });
    assertEquals([given.messages.length, payloads(given).includes(2)], [10, true]);
  });

  promise("a queue's own lease holds instead of the worker's", async (t) => {
    await t.setQueue("quick", { leaseMs: 10_000 });
    const [id = ""] = await t.transport.send([{ type: "T", payload: 1, queue: "quick" }]);
    const request = claimOf();
    assertEquals((await t.transport.claim(request)).leaseMs, 10_000);
    await t.advance(9_000);
    await t.transport.extendLeases([{ token: request.token, ids: [id] }], 60_000);
    await t.advance(9_000);
    assertEquals((await claim(t.transport)).crashed, []);
    await t.advance(1_001);
    assertEquals((await claim(t.transport)).crashed.length, 1);
  });

  promise("messages of a queue that runs on workers are claimed by its name only", async (t) => {
    await t.setQueue("heavy", { runsOn: "worker" });
    await t.transport.send([{ type: "T", payload: 1, queue: "heavy" }]);
    const given = await claim(t.transport);
    assertEquals([given.messages, given.nextDueMs], [[], null]);
    assertEquals(payloads(await claim(t.transport, { queues: ["heavy"] })), [1]);
  });

  promise("an expired lease of a queue that runs on workers is swept by any claim", async (t) => {
    await t.setQueue("heavy", { runsOn: "worker" });
    await t.transport.send([{ type: "T", payload: 1, queue: "heavy" }]);
    await claim(t.transport, { queues: ["heavy"] });
    await t.advance(60_001);
    assertEquals((await claim(t.transport)).crashed.length, 1);
  });
}
