/** Promises of every transport: a sent message is stored unchanged, or it is refused. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Capabilities } from "../../supabase/functions/_shared/symphony/index.ts";
import type { Stamps } from "../../supabase/functions/_shared/symphony/message/envelope.ts";
import { TransportError } from "../../supabase/functions/_shared/symphony/index.ts";
import { released } from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { promises } from "./promises.ts";
import { claimOf, failure, settlementsOf, type TransportUnderTest } from "./under_test.ts";

/** Registers the suite for one transport. */
export function testSending(
  name: string,
  open: () => Promise<TransportUnderTest>,
  promised?: Capabilities,
): void {
  const promise = promises(name, open, promised);

  promise("a message that was sent is claimed as it was sent", async ({ transport }) => {
    const payload = { to: "a@example.org", nested: { list: [1, null, "x"], empty: {} } };
    const [id] = await transport.send([
      { type: "T", payload, queue: "mail", priority: 7, groupKey: "g", stamps: { redriven: 2 } },
    ]);
    const { messages } = await transport.claim(claimOf());
    assertEquals(messages.length, 1);
    const [envelope] = messages;
    assertEquals(
      { ...envelope, availableAt: 0, createdAt: 0, leaseToken: 0, dueAtMs: 0, bytes: 0 },
      {
        id,
        type: "T",
        payload,
        queue: "mail",
        priority: 7,
        availableAt: 0,
        createdAt: 0,
        expiresAt: null,
        expired: false,
        retryCount: 0,
        snoozes: 0,
        interruptions: 0,
        attempts: 1,
        groupKey: "g",
        stamps: { redriven: 2 },
        quarantined: false,
        leaseToken: 0,
        dueAtMs: 0,
        bytes: 0,
      },
    );
  });

  promise("what is done to a message after it was sent, or claimed, changes nothing", async (t) => {
    const availableAt = new Date(2020, 0);
    const payload = { list: [1] };
    const stamps = { mine: { list: [1] } };
    await t.transport.send([{ type: "T", payload, stamps, availableAt, ttlMs: 1e13 }]);
    const change = (message: { payload: unknown; stamps?: unknown; availableAt: Date }) => {
      message.availableAt.setTime(0);
      for (const part of [message.payload, Object(message.stamps).mine]) part.list.push(2);
    };
    change({ payload, stamps, availableAt });
    for (const time of [1, 2]) {
      const { messages } = await t.transport.claim(claimOf());
      const [one] = messages;
      if (!one) throw new Error(`it was not there for the claim ${time}`);
      assertEquals(
        [one.payload, one.stamps, one.availableAt.getTime()],
        [{ list: [1] }, { mine: { list: [1] } }, new Date(2020, 0).getTime()],
      );
      change(one);
      one.createdAt.setTime(0);
      one.expiresAt?.setTime(0);
      await t.transport.settle(settlementsOf(messages, released));
    }
  }, { lease: "per-claim" });

  promise("stamps of the bus that are not what they have to be are left out", async (t) => {
    const stamps = { handledBy: ["a", 5], redriven: "x", user: 7, mine: 1 } as unknown as Stamps;
    await t.transport.send([{ type: "T", payload: 1, stamps }]);
    const { messages } = await t.transport.claim(claimOf());
    assertEquals(messages.map((one) => one.stamps), [{ handledBy: ["a"], mine: 1 }]);
  });

  for (const text of ["\0", "\ud800"]) {
    promise(`a text with ${JSON.stringify(text)} is refused, and nothing is written`, async (t) => {
      const message = { type: "T", payload: 1 };
      for (
        const wrong of [
          { ...message, payload: { a: [`x${text}`] } },
          { ...message, payload: { [`x${text}`]: 1 } },
          { ...message, stamps: { mine: `${text}x` } },
          { ...message, type: text },
          { ...message, queue: `q${text}` },
          { ...message, groupKey: `g${text}` },
          { ...message, idempotencyKey: `k${text}` },
        ]
      ) {
        const sent = t.transport.send([message, wrong]);
        const error = await assertRejects(() => sent, TransportError);
        assertEquals([error.retryable, error.fault], [false, "data"]);
      }
      const harmless = { ...message, payload: "\\u0000 \\ud800" };
      await t.transport.send([harmless]);
      const { messages } = await t.transport.claim(claimOf());
      assertEquals(messages.map(({ payload }) => payload), [harmless.payload]);
      const dead = { kind: "dead", reason: "exhausted" } as const;
      const errors = [{ ...failure, message: text }];
      const settled = t.transport.settle(settlementsOf(messages, { ...dead, errors }));
      await assertRejects(() => settled, TransportError);
      assertEquals(await t.failed(), []);
    });
  }

  promise("send returns the ids in the order of the messages", async ({ transport }) => {
    const ids = await transport.send([1, 2, 3, 4].map((n) => ({ type: "T", payload: n })));
    const { messages } = await transport.claim(claimOf());
    const byId = new Map(messages.map(({ id, payload }) => [id, payload]));
    assertEquals(ids.map((id) => byId.get(id)), [1, 2, 3, 4]);
  });

  promise("messages that are too large together are refused, and none is written", async (t) => {
    const message = { type: "T", payload: "x".repeat(8_000_000) };
    const send = () => t.transport.send(Array(9).fill(message));
    const error = await assertRejects(send, RangeError);
    assert(/^messages: have 72\d{6} bytes together; /.test(error.message), error.message);
    assertEquals((await t.transport.claim(claimOf())).messages, []);
  });

  promise("what is larger than a worker can take is refused, with the field's name", async (t) => {
    const text = "x".repeat(9_000_000);
    const large = [{ type: "T", payload: { text } }, { type: "T", payload: 1, stamps: { text } }];
    for (const [field, message] of [["payload", large[0]], ["stamps", large[1]]] as const) {
      const small = { type: "T", payload: 1 };
      const error = await assertRejects(
        () => t.transport.send(message ? [small, message] : []),
        RangeError,
      );
      assert(error.message.startsWith(`${field}: has `), error.message);
    }
    assertEquals((await t.transport.claim(claimOf())).messages, []);
  });

  promise("sending nothing returns nothing", async ({ transport }) => {
    assertEquals(await transport.send([]), []);
  });
}
