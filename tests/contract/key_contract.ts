/** Promises of every transport: idempotency keys, and refusals of messages that contradict themselves. */

import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import {
  ConflictError,
  type OutgoingMessage,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { promises } from "./promises.ts";
import { claimOf, type TransportUnderTest } from "./under_test.ts";

/** Registers the suite for one transport. */
export function testKeys(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  const keyed = {
    type: "T",
    payload: { a: 1, b: [{ c: 2, d: null }] },
    idempotencyKey: "order-1",
    delayMs: 1_000,
  };

  promise("idempotency keys of two types are two keys", async ({ transport }) => {
    const [a, b] = await transport.send([keyed, { ...keyed, type: "U" }]);
    assertNotEquals(a, b);
    assertEquals(await transport.send([{ ...keyed, type: "U" }, keyed]), [b, a]);
  });

  promise("the same content in another order is the same under a key", async ({ transport }) => {
    const [first] = await transport.send([keyed]);
    const payload = { b: [{ d: null, c: 2 }], a: 1 };
    assertEquals(await transport.send([{ ...keyed, payload }]), [first]);
  });

  const others: [string, Partial<OutgoingMessage>][] = [
    ["another payload", { payload: { a: 1 } }],
    ["a payload in another order of an array", { payload: { a: 1, b: [null] } }],
    ["another queue", { queue: "q" }],
    ["another priority", { priority: 1 }],
    ["another group", { groupKey: "g" }],
    ["another delay", { delayMs: 2_000 }],
    ["another time to live", { ttlMs: 60_000 }],
  ];
  for (const [what, change] of others) {
    promise(`${what} under a key is refused, and nothing is written`, async (t) => {
      const [first] = await t.transport.send([keyed]);
      const fresh = { type: "T", payload: 2 };
      const other = { ...keyed, ...change };
      const error = await assertRejects(
        () => t.transport.send([fresh, other]),
        ConflictError,
        "idempotencyKey: ",
      );
      assertEquals(error.index, 1);
      await assertRejects(
        () =>
          t.transport.send([{ ...keyed, idempotencyKey: "new" }, {
            ...other,
            idempotencyKey: "new",
          }]),
        ConflictError,
      );
      await t.advance(5_000);
      const { messages } = await t.transport.claim(claimOf());
      assertEquals(messages.map(({ id }) => id), [first]);
      await t.advance(24 * 60 * 60 * 1000 + 1);
      assertNotEquals((await t.transport.send([other]))[0], first);
    });
  }

  for (
    const [one, other] of [
      [{ a: { b: 1 }, c: 2 }, { a: { b: 1, c: 2 } }],
      [[[1], 2], [[1, 2]]],
      [{ a: [], b: 1 }, { a: ["b", 1] }],
      [{ a: [{ b: "}" }, "{"] }, { a: [{ b: "}{" }] }],
      [{ a: {} }, { a: [] }],
    ]
  ) {
    promise(
      `under a key, ${JSON.stringify(one)} is other content than ${JSON.stringify(other)}`,
      async (t) => {
        await t.transport.send([{ ...keyed, payload: one }]);
        await assertRejects(
          () => t.transport.send([{ ...keyed, payload: other }]),
          ConflictError,
          "idempotencyKey: ",
        );
      },
    );
  }

  promise("a time to live that ends before the message is due is refused", async (t) => {
    const message = { type: "T", payload: 1, ttlMs: 1_000 };
    for (
      const late of [{ ...message, delayMs: 1_000 }, {
        ...message,
        delayMs: 1_000,
        idempotencyKey: "k",
      }]
    ) {
      await assertRejects(
        () => t.transport.send([{ type: "T", payload: 1 }, late]),
        RangeError,
        "ttl: ",
      );
    }
    await t.transport.send([{ ...message, delayMs: 999 }]);
    assertEquals((await t.transport.claim(claimOf())).messages.length, 0);
  });
}
