/** Promises of every transport: dedupe keys, and the time that an idempotency key is kept. */

import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  handled,
  type Settlement,
} from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { promises } from "./promises.ts";
import { claimOf, failure, settlementsOf, type TransportUnderTest } from "./under_test.ts";

/** Registers the suite for one transport. */
export function testDedupe(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise(
    "an idempotency key returns the first id for 24 hours, also after the message is done",
    async (t) => {
      const message = { type: "T", payload: 1, idempotencyKey: "order-1" };
      const [first] = await t.transport.send([message]);
      const { messages } = await t.transport.claim(claimOf());
      await t.transport.settle(settlementsOf(messages, handled));
      assertEquals(await t.transport.send([message, message]), [first, first]);
      assertEquals((await t.transport.claim(claimOf())).messages, []);
      const [other] = await t.transport.send([{ ...message, idempotencyScope: "user" }]);
      assertNotEquals(other, first);
      await t.advance(24 * 60 * 60 * 1000 + 1);
      assertNotEquals((await t.transport.send([message]))[0], first);
    },
  );

  const once = { type: "T", payload: 1, dedupeKey: "k" };

  const finish: [string, Settlement["outcome"]][] = [
    ["handled", handled],
    ["dead", { kind: "dead", reason: "exhausted", errors: [] }],
  ];
  for (const [end, outcome] of finish) {
    promise(`a dedupe key returns the first id until the message is ${end}`, async (t) => {
      const [first] = await t.transport.send([once]);
      assertEquals(await t.transport.send([once, { ...once, payload: 2 }]), [first, first]);
      const claimed = await t.transport.claim(claimOf());
      assertEquals(claimed.messages.map(({ id, payload }) => [id, payload]), [[first, 1]]);
      const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
      await t.transport.settle(settlementsOf(claimed.messages, retry));
      assertEquals(await t.transport.send([once]), [first]);
      const { messages } = await t.transport.claim(claimOf());
      assertEquals(await t.transport.send([once]), [first]);
      await t.transport.settle(settlementsOf(messages, outcome));
      assertNotEquals(await t.transport.send([once]), [first]);
    });
  }

  promise("a cancel frees the dedupe key", async (t) => {
    const ids = await t.transport.send([once]);
    await t.transport.cancel({ ids });
    assertNotEquals(await t.transport.send([once]), ids);
  });

  for (const dedupe of ["until-started", "until-finished"] as const) {
    promise(
      `a message that has expired while it waited holds no dedupe key ${dedupe}`,
      async (t) => {
        const message = { ...once, dedupe, ttlMs: 60_000 } as const;
        const [first] = await t.transport.send([message]);
        await t.advance(30_000);
        assertEquals(await t.transport.send([message]), [first]);
        await t.advance(30_000);
        const [second] = await t.transport.send([message]);
        assertNotEquals(second, first);
        assertEquals(await t.transport.send([message]), [second]);
        // A worker that is about to bury it does not hold the key for it, either.
        await t.advance(60_000);
        const { messages } = await t.transport.claim(claimOf());
        assert(messages.every(({ expired }) => expired));
        assertEquals(messages.map(({ id }) => id).sort(), [first, second].sort());
        const [third] = await t.transport.send([message]);
        assertEquals(new Set([first, second, third]).size, 3);
      },
    );
  }

  promise("a dedupe key that is held until the start is free once it is claimed", async (t) => {
    const message = { ...once, dedupe: "until-started" } as const;
    const [first] = await t.transport.send([message, message]);
    assertEquals(await t.transport.send([message]), [first]);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map(({ id }) => id), [first]);
    const [second] = await t.transport.send([message]);
    assertNotEquals(second, first);
    // The first one's retry does not take the key again.
    const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
    await t.transport.settle(settlementsOf(messages, retry));
    assertEquals(await t.transport.send([message]), [second]);
  });

  promise("a dedupe key with a window is held that long, whatever becomes of it", async (t) => {
    const message = { ...once, dedupe: { windowMs: 60_000 } };
    const [first] = await t.transport.send([message, message]);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.length, 1);
    await t.transport.settle(settlementsOf(messages, handled));
    assertEquals(await t.transport.send([message]), [first]);
    await t.advance(60_001);
    assertNotEquals(await t.transport.send([message]), [first]);
  });

  promise("dedupe keys of two types, and idempotency keys, are apart", async ({ transport }) => {
    const ids = await transport.send([
      once,
      { ...once, type: "U" },
      { ...once, dedupe: { windowMs: 60_000 } },
      { type: "T", payload: 1, idempotencyKey: "k" },
      { type: "T", payload: 1 },
    ]);
    assertEquals(new Set(ids).size, 5);
    assertEquals((await transport.claim(claimOf())).messages.length, 5);
  });

  promise("one key within one call makes one message, in its place", async ({ transport }) => {
    const other = { type: "T", payload: 2 };
    const [a, b, c, d] = await transport.send([other, once, other, once]);
    assertEquals([b === d, new Set([a, b, c]).size], [true, 3]);
    assertEquals((await transport.claim(claimOf())).messages.length, 3);
  });

  const latest = { ...once, dedupe: "replace" } as const;

  promise(
    "a replacing dispatch gives the waiting message its payload, and no other time",
    async (t) => {
      const [first] = await t.transport.send([{ ...latest, delayMs: 60_000, priority: 5 }]);
      await t.advance(40_000);
      const again = { ...latest, payload: 2, delayMs: 60_000, priority: 7 };
      assertEquals(await t.transport.send([again, { ...again, payload: 3 }]), [first, first]);
      assertEquals((await t.transport.claim(claimOf())).messages, []);
      await t.advance(20_000);
      const { messages } = await t.transport.claim(claimOf());
      assertEquals(
        messages.map(({ id, payload, priority }) => [id, payload, priority]),
        [[first, 3, 5]],
      );
    },
  );

  for (const dedupe of ["until-started", "replace", { debounceMs: 30_000 }] as const) {
    const how = JSON.stringify(dedupe);

    promise(
      `a message with dedupe ${how} that is given back unstarted holds its key again`,
      async (t) => {
        const message = { ...once, dedupe };
        const [first] = await t.transport.send([message]);
        await t.advance(30_000);
        for (const payload of [2, 3]) {
          const { messages } = await t.transport.claim(claimOf());
          assertEquals(messages.map(({ id }) => id), [first]);
          await t.transport.settle(settlementsOf(messages, { kind: "released" }));
          assertEquals(await t.transport.send([{ ...message, payload }]), [first]);
          await t.advance(30_000);
        }
        const { messages } = await t.transport.claim(claimOf());
        assertEquals(
          messages.map(({ id, payload }) => [id, payload]),
          [[first, dedupe === "until-started" ? 1 : 3]],
        );
        // It has started now.
        const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
        await t.transport.settle(settlementsOf(messages, retry));
        const again = await t.transport.claim(claimOf());
        await t.transport.settle(settlementsOf(again.messages, { kind: "released" }));
        assertNotEquals(await t.transport.send([message]), [first]);
      },
    );
  }

  promise(
    "a message that is given back unstarted leaves its key to one that has taken it meanwhile, and both run",
    async (t) => {
      const [first] = await t.transport.send([latest]);
      const { messages } = await t.transport.claim(claimOf());
      const [second] = await t.transport.send([{ ...latest, payload: 2 }]);
      assertNotEquals(second, first);
      await t.transport.settle(settlementsOf(messages, { kind: "released" }));
      assertEquals(await t.transport.send([{ ...latest, payload: 3 }]), [second]);
      const claimed = (await t.transport.claim(claimOf())).messages;
      assertEquals(claimed.map(({ id, payload }) => [id, payload]), [[first, 1], [second, 3]]);
      // Of two that are given back, whatever the order, the later one has the key: its payload is the latest.
      for (const message of claimed) {
        await t.transport.settle(settlementsOf([message], { kind: "released" }));
      }
      assertEquals(await t.transport.send([{ ...latest, payload: 4 }]), [second]);
    },
  );

  for (const dedupe of ["replace", "until-finished"] as const) {
    promise(
      `a message that has started, with dedupe ${dedupe}, keeps its payload, and a replacing dispatch makes another`,
      async (t) => {
        const [first] = await t.transport.send([{ ...latest, dedupe }]);
        const { messages } = await t.transport.claim(claimOf());
        const [second] = await t.transport.send([{ ...latest, payload: 2 }]);
        assertNotEquals(second, first);
        assertEquals(await t.transport.send([{ ...latest, payload: 3 }]), [second]);
        const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
        await t.transport.settle(settlementsOf(messages, retry));
        assertEquals(await t.transport.send([{ ...latest, payload: 4 }]), [second]);
        const claimed = (await t.transport.claim(claimOf())).messages;
        assertEquals(
          claimed.map(({ id, payload }) => [id, payload]).sort(),
          [[first, 1], [second, 4]],
        );
      },
    );
  }

  promise(
    "each dispatch of a debounced message moves its due time and gives it the payload",
    async (t) => {
      const debounced = { ...once, dedupe: { debounceMs: 30_000 } };
      const [first] = await t.transport.send([debounced]);
      for (const payload of [2, 3, 4]) {
        await t.advance(20_000);
        assertEquals(await t.transport.send([{ ...debounced, payload }]), [first]);
        assertEquals((await t.transport.claim(claimOf())).messages, []);
      }
      await t.advance(20_000);
      assertEquals((await t.transport.claim(claimOf())).messages, []);
      await t.advance(10_000);
      const { messages } = await t.transport.claim(claimOf());
      assertEquals(messages.map(({ id, payload }) => [id, payload]), [[first, 4]]);
      assertNotEquals(await t.transport.send([debounced]), [first]);
    },
  );

  promise("a debounced message is due at most maxWait after its first dispatch", async (t) => {
    const debounced = { ...once, dedupe: { debounceMs: 30_000, maxWaitMs: 50_000 } };
    const [first] = await t.transport.send([debounced]);
    await t.advance(25_000);
    assertEquals(await t.transport.send([{ ...debounced, payload: 2 }]), [first]);
    await t.advance(15_000);
    assertEquals(await t.transport.send([{ ...debounced, payload: 3 }]), [first]);
    assertEquals((await t.transport.claim(claimOf())).messages, []);
    await t.advance(10_000);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map(({ id, payload }) => [id, payload]), [[first, 3]]);
  });

  promise("the time to live of a debounced message counts from the latest dispatch", async (t) => {
    const debounced = { ...once, dedupe: { debounceMs: 30_000 }, ttlMs: 40_000 };
    const [first] = await t.transport.send([debounced]);
    await t.advance(29_000);
    await t.transport.send([debounced]);
    await t.advance(30_000);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map(({ id, expired }) => [id, expired]), [[first, false]]);
  });

  promise("a time to live that ends before a debounce does is refused", async ({ transport }) => {
    const message = { ...once, dedupe: { debounceMs: 30_000 }, ttlMs: 30_000 };
    await assertRejects(() => transport.send([message]), Error, "ttl");
    assertEquals((await transport.claim(claimOf())).messages, []);
  });
}
