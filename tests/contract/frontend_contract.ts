/** Promises of every transport to frontends: limits, memory of handled messages, progress. */

import { assertEquals, assertRejects } from "@std/assert";
import { RateLimitedError } from "../../supabase/functions/_shared/symphony/index.ts";
import type { LimitedDispatch } from "../../supabase/functions/_shared/symphony/message/rate-limit.ts";
import type { TransportUnderTest } from "./under_test.ts";
import { promises } from "./promises.ts";

/** A transport to be tested, and what it keeps for those who follow messages. */
export interface FrontendUnderTest extends TransportUnderTest {
  /** Handled messages that are remembered, and for how long, oldest first. */
  kept(): Promise<{ id: string; attempts: number; keepMs: number }[]>;
  /** The progress that handlers have reported; `value` is null if only a step was told. */
  progress(): Promise<{ id: string; value: number | null; note: string | null }[]>;
}

const message = { type: "T", payload: 1 };

const limitOf = (count: number, more: Partial<LimitedDispatch> = {}): LimitedDispatch => ({
  type: "T",
  caller: "user:ann",
  count,
  max: 3,
  perMs: 60_000,
  ...more,
});

/** Registers the suite for one transport. */
export function testWhatFrontendsNeed(name: string, open: () => Promise<FrontendUnderTest>): void {
  const promise = promises(name, open);
  const claim = (t: FrontendUnderTest, token = crypto.randomUUID()) =>
    t.transport.claim({ token, maxMessages: 10, leaseMs: 60_000 });

  promise("a handled message is remembered only where it is to be kept", async (t) => {
    const ids = await t.transport.send([message, message]);
    const { messages } = await claim(t);
    const { stale } = await t.transport.settle(messages.map(({ id, leaseToken }, index) => ({
      id,
      leaseToken,
      outcome: { kind: "handled", ...(index === 1 && { keepMs: 5_000 }) },
    })));
    assertEquals(stale, []);
    assertEquals(await t.kept(), [{ id: ids[1] ?? "", attempts: 1, keepMs: 5_000 }]);
    assertEquals((await claim(t)).messages, []);
  });

  promise("a message whose lease is another's is not remembered as handled", async (t) => {
    const [id = ""] = await t.transport.send([message]);
    await claim(t);
    const late = { id, leaseToken: crypto.randomUUID() };
    assertEquals(
      await t.transport.settle([{ ...late, outcome: { kind: "handled", keepMs: 5_000 } }]),
      { stale: [id] },
    );
    assertEquals(await t.kept(), []);
  });

  promise("the latest progress is kept until the message is handled", async (t) => {
    const [id = ""] = await t.transport.send([message]);
    const { messages: [envelope] } = await claim(t);
    const leaseToken = envelope?.leaseToken ?? "";
    await t.transport.reportProgress([{ id, leaseToken, value: 0.25, note: "first" }]);
    await t.transport.reportProgress([{ id, leaseToken, value: 0.5 }]);
    await t.transport.reportProgress([{ id, leaseToken: crypto.randomUUID(), value: 1 }]);
    assertEquals(await t.progress(), [{ id, value: 0.5, note: null }]);
    await t.transport.settle([{ id, leaseToken, outcome: { kind: "handled", progressed: true } }]);
    assertEquals(await t.progress(), []);
  });

  promise("a step that runs leaves the reported progress as it is", async (t) => {
    const [id = ""] = await t.transport.send([message]);
    const { messages: [envelope] } = await claim(t);
    const leaseToken = envelope?.leaseToken ?? "";
    const identity = { handler: "h", name: "charge", key: "", nth: 1 };
    const step = { ...identity, kind: "step", ranMs: 1_000 } as const;
    await t.transport.reportProgress([{ id, leaseToken, step }]);
    assertEquals(await t.progress(), [{ id, value: null, note: null }]);
    await t.transport.reportProgress([{ id, leaseToken, value: 0.5, note: "half" }]);
    await t.transport.reportProgress([{ id, leaseToken, step }]);
    assertEquals(await t.progress(), [{ id, value: 0.5, note: "half" }]);
    await t.transport.settle([{ id, leaseToken, outcome: { kind: "handled", progressed: true } }]);
    assertEquals(await t.progress(), []);
  });

  promise(
    "a rate limit lets its number through, then one for each share of its time",
    async (t) => {
      assertEquals((await t.transport.send([message, message], [limitOf(2)])).length, 2);
      const send = () => t.transport.send([message], [limitOf(1)]);
      await send();
      const error = await assertRejects(send, RateLimitedError, "too many messages of the type T");
      assertEquals(error.retryAfterMs > 15_000 && error.retryAfterMs <= 20_000, true);
      assertEquals((await claim(t)).messages.length, 3);
      await t.advance(20_000);
      await send();
      await assertRejects(send, RateLimitedError);
    },
  );

  promise(
    "a rate limit that was relaxed after it was used up lets messages through within the new period",
    async (t) => {
      const relaxed = { ...limitOf(1), max: 10, perMs: 1_000 };
      await t.transport.send(Array(10).fill(message), [{
        ...limitOf(10),
        max: 10,
        perMs: 86_400_000,
      }]);
      await t.advance(1_000);
      await t.transport.send([message], [relaxed]);
    },
  );

  promise(
    "messages counted by a limit stay counted when the limit changes, by the new one",
    async (t) => {
      const send = (count: number, max: number, perMs: number) =>
        t.transport.send(Array(count).fill(message), [{ ...limitOf(count), max, perMs }]);
      await send(10, 10, 1_000);
      await t.advance(2_000);
      await assertRejects(() => send(1, 10, 3_600_000), RateLimitedError);
      await send(990, 1_000, 3_600_000);
      await assertRejects(() => send(10, 1_000, 3_600_000), RateLimitedError);
      await t.advance(360_000);
      await send(1, 10, 3_600_000);
    },
  );

  promise("a rate limit lets its number through where a share is a fraction", async (t) => {
    for (const max of [6, 7, 70]) {
      const limit = limitOf(1, { caller: `user:${max}`, max, perMs: 1_000_000 });
      for (let n = 0; n < max; n++) await t.transport.send([message], [limit]);
      await assertRejects(() => t.transport.send([message], [limit]), RateLimitedError);
    }
  });

  promise("one limit that is reached refuses all, and nothing is counted", async (t) => {
    const total = limitOf(1, { caller: "total", max: 1 });
    await t.transport.send([message], [limitOf(1), total]);
    const bob = limitOf(3, { caller: "user:bob" });
    await assertRejects(() => t.transport.send([message], [bob, total]), RateLimitedError);
    assertEquals((await t.transport.send([message, message, message], [bob])).length, 3);
  });
}
