/** Promises of every transport: the order, bounds and repetition of claims. */

import { assertEquals } from "@std/assert";
import { handled } from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { promises } from "./promises.ts";
import { claimOf, settlementsOf, type TransportUnderTest } from "./under_test.ts";

/** Registers the suite for one transport. */
export function testClaiming(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("a claim is ordered by priority, then due time, then id", async (t) => {
    await t.transport.send([
      { type: "T", payload: "low", priority: -5 },
      { type: "T", payload: "later", delayMs: 2_000 },
      { type: "T", payload: "sooner", delayMs: 1_000 },
      { type: "T", payload: "first" },
      { type: "T", payload: "second" },
      { type: "T", payload: "high", priority: 5, delayMs: 3_000 },
    ]);
    await t.advance(5_000);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map(({ payload }) => payload), [
      "high",
      "first",
      "second",
      "sooner",
      "later",
      "low",
    ]);
  });

  promise("a message is not claimed before it is due, and nextDueMs tells when", async (t) => {
    await t.transport.send([{ type: "T", payload: 1, delayMs: 30_000 }]);
    const early = await t.transport.claim(claimOf());
    assertEquals(early.messages, []);
    assertEquals((early.nextDueMs ?? 0) > 20_000 && (early.nextDueMs ?? 0) <= 30_000, true);
    await t.advance(30_000);
    assertEquals((await t.transport.claim(claimOf())).messages.length, 1);
  });

  promise("where nothing waits, nextDueMs is null", async ({ transport }) => {
    assertEquals((await transport.claim(claimOf())).nextDueMs, null);
  });

  promise("two claims never give the same message", async ({ transport }) => {
    await transport.send(Array.from({ length: 20 }, (_, n) => ({ type: "T", payload: n })));
    const claims = await Promise.all(
      [1, 2, 3, 4].map(() => transport.claim(claimOf({ maxMessages: 5 }))),
    );
    const ids = claims.flatMap(({ messages }) => messages.map(({ id }) => id));
    assertEquals(new Set(ids).size, ids.length);
  });

  promise("a claim keeps to the queues it names", async ({ transport }) => {
    await transport.send([
      { type: "T", payload: 1, queue: "a" },
      { type: "T", payload: 2, queue: "b" },
    ]);
    const { messages } = await transport.claim(claimOf({ queues: ["b"] }));
    assertEquals(messages.map(({ payload }) => payload), [2]);
  });

  promise("a drain that continues behind its last keys gives every message once", async (t) => {
    const sent = await t.transport.send(
      Array.from({ length: 25 }, (_, n) => ({ type: "T", payload: n, queue: n % 2 ? "a" : "b" })),
    );
    const seen: string[] = [];
    let lastKeys;
    for (let round = 0; round < 10; round++) {
      const claim = await t.transport.claim(
        claimOf({ maxMessages: 6, ...(lastKeys && { lastKeys }) }),
      );
      seen.push(...claim.messages.map(({ id }) => id));
      lastKeys = claim.lastKeys;
    }
    assertEquals(seen.toSorted(), sent.toSorted());
  });

  promise("a claim gives no more bytes than it is asked for, but one message", async (t) => {
    const payload = "x".repeat(1_000_000);
    await t.transport.send(Array.from({ length: 5 }, () => ({ type: "T", payload })));
    const counts: unknown[] = [];
    for (const maxBytes of [2_500_000, 0, 8_000_000]) {
      const { messages, more } = await t.transport.claim(claimOf({ maxBytes }));
      counts.push([messages.length, more]);
    }
    assertEquals(counts, [[2, true], [1, true], [2, false]]);
  });

  promise(
    "a message that has to run alone is given only when asked for, one at a time",
    async (t) => {
      await t.transport.send([1, 2].map((n) => ({ type: "T", payload: n })));
      const { messages } = await t.transport.claim(claimOf());
      await t.transport.settle(settlementsOf(messages, {
        kind: "retry",
        delayMs: 0,
        retryCount: 0,
        quarantined: true,
        errors: [],
      }));
      const ordinary = await t.transport.claim(claimOf());
      assertEquals([ordinary.messages.length, ordinary.quarantinedDue], [0, true]);
      const alone = await t.transport.claim(claimOf({ quarantined: true }));
      assertEquals([alone.messages.length, alone.messages[0]?.quarantined, alone.quarantinedDue], [
        1,
        true,
        true,
      ]);
    },
  );

  promise("settling and claiming in one call does both", async ({ transport }) => {
    await transport.send([{ type: "T", payload: 1 }, { type: "T", payload: 2 }]);
    const { messages } = await transport.claim(claimOf({ maxMessages: 1 }));
    const both = await transport.settleAndClaim(settlementsOf(messages, handled), claimOf());
    assertEquals([both.stale, both.messages.map(({ payload }) => payload)], [[], [2]]);
  });

  promise("a claim that is repeated gives the same messages, charged once", async (t) => {
    await t.transport.send([1, 2, 3].map((n) => ({ type: "T", payload: n })));
    const request = claimOf({ maxMessages: 2 });
    const first = await t.transport.claim(request);
    const again = await t.transport.claim({ ...request, repeated: true });
    assertEquals(again.messages.map(({ id }) => id), first.messages.map(({ id }) => id));
    assertEquals(again.messages.map(({ attempts }) => attempts), [1, 1]);
  });

  promise("a message older than its ttl is claimed as expired", async (t) => {
    await t.transport.send([{ type: "T", payload: 1, ttlMs: 1_000 }]);
    await t.advance(1_001);
    assertEquals((await t.transport.claim(claimOf())).messages[0]?.expired, true);
  });
}
