/** Promises of every transport: what a handler dispatches is written with the outcome of its message. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import {
  ConflictError,
  type Envelope,
  type OutgoingMessage,
} from "../../supabase/functions/_shared/symphony/index.ts";
import type { Effects } from "../../supabase/functions/_shared/symphony/message/effects.ts";
import {
  handled,
  type Settlement,
  settlementOf,
} from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import type { Transport } from "../../supabase/functions/_shared/symphony/transport/transport.ts";
import { promises } from "./promises.ts";
import { claim, claimOf, failure, payloads, type TransportUnderTest } from "./under_test.ts";

/** Effects of one message, with ids reserved for them. */
async function effectsOf(transport: Transport, ...messages: OutgoingMessage[]): Promise<Effects> {
  const reserved = [];
  for (const message of messages) {
    const [id = ""] = await transport.reserveIds(1);
    reserved.push({ id, message });
  }
  return { messages: reserved, emits: [], size: 0 };
}

const child = (payload: unknown, more: Partial<OutgoingMessage> = {}) => ({
  type: "Child",
  payload,
  ...more,
});

/** Dispatches messages and claims them. */
async function claimed(transport: Transport, ...given: unknown[]): Promise<readonly Envelope[]> {
  await transport.send(given.map((payload) => ({ type: "T", payload })));
  return (await transport.claim(claimOf())).messages;
}

const OUTCOMES: Settlement["outcome"][] = [
  handled,
  { kind: "snoozed", delayMs: 60_000 },
  { kind: "retry", delayMs: 60_000, retryCount: 1, errors: [failure] },
  { kind: "dead", reason: "unrecoverable", errors: [failure] },
];

/** Registers the suite for one transport. */
export function testEffects(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("reserved ids ascend, and no other message gets one of them", async ({ transport }) => {
    const ids = [...await transport.reserveIds(3), ...await transport.reserveIds(1)].map(Number);
    const [sent] = (await transport.send([{ type: "T", payload: 1 }])).map(Number);
    assert(ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? Infinity)));
    assertEquals(ids.includes(sent ?? NaN), false);
  });

  for (const outcome of OUTCOMES) {
    promise(`effects are written with an outcome: ${outcome.kind}`, async ({ transport }) => {
      const [parent] = await claimed(transport, 1);
      const effects = await effectsOf(transport, child("a"), child("b"));
      const settlement = settlementOf(parent as Envelope, outcome, effects);
      assertEquals(await transport.settle([settlement]), { stale: [] });
      const { messages } = await transport.claim(claimOf());
      assertEquals(payloads({ messages }), ["a", "b"]);
      assertEquals(messages.map(({ id }) => id), effects.messages.map(({ id }) => id));
      // The answer may be lost: the call is repeated, and writes nothing twice.
      assertEquals(await transport.settle([settlement]), { stale: [parent?.id ?? ""] });
      assertEquals(payloads(await transport.claim(claimOf())), []);
    });
  }

  promise("the claim of the same call gives what it has written", async ({ transport }) => {
    const [parent] = await claimed(transport, 1);
    const effects = await effectsOf(transport, child("a"));
    const settlement = settlementOf(parent as Envelope, handled, effects);
    assertEquals(payloads(await transport.settleAndClaim([settlement], claimOf())), ["a"]);
  });

  promise("a message whose lease is another's has no effects", async (t) => {
    const [first] = await claimed(t.transport, 1);
    await t.advance(120_000);
    await t.transport.claim(claimOf({ sweep: true }));
    const effects = await effectsOf(t.transport, child("a"));
    const { stale } = await t.transport.settle([settlementOf(first as Envelope, handled, effects)]);
    assertEquals(stale, [first?.id ?? ""]);
    assertEquals(payloads(await t.transport.claim(claimOf())), []);
  });

  promise("effects have their delay and their time to live from the outcome on", async (t) => {
    const [parent] = await claimed(t.transport, 1);
    const effects = await effectsOf(t.transport, child("a", { delayMs: 10_000, ttlMs: 20_000 }));
    await t.advance(30_000);
    await t.transport.settle([settlementOf(parent as Envelope, handled, effects)]);
    assertEquals(payloads(await claim(t.transport)), []);
    await t.advance(10_000);
    const { messages: [written] } = await t.transport.claim(claimOf());
    assertEquals([written?.payload, written?.expired], ["a", false]);
  });

  promise(
    "a settle call that claims too tells which effects are refused",
    async ({ transport }) => {
      await transport.send([child("taken", { idempotencyKey: "k", queue: "other" })]);
      await transport.send([{ type: "T", payload: 1 }]);
      const { messages: [one] } = await transport.claim(claimOf({ queues: ["default"] }));
      const effects = await effectsOf(transport, child(1, { idempotencyKey: "k", queue: "other" }));
      const settlement = settlementOf(one as Envelope, handled, effects);
      const { stale, refused = [] } = await transport.settleAndClaim([settlement], claimOf());
      assertEquals([stale, refused.map(({ id }) => id)], [[], [one?.id]]);
      assertInstanceOf(refused[0]?.error, ConflictError);
    },
  );

  promise("refused effects leave their message leased, and the others are settled", async (t) => {
    const { transport } = t;
    await transport.send([child("taken", { idempotencyKey: "k", queue: "other" })]);
    await transport.send([1, 2, 3].map((payload) => ({ type: "T", payload })));
    const { messages } = await transport.claim(claimOf({ queues: ["default"] }));
    const settlements = await Promise.all(messages.map(async (one, index) =>
      settlementOf(
        one,
        handled,
        await effectsOf(
          transport,
          child(index, index === 1 ? { idempotencyKey: "k", queue: "other" } : {}),
        ),
      )
    ));
    const { stale, refused = [] } = await transport.settle(settlements);
    assertEquals(stale, []);
    assertEquals(refused.map(({ id, leaseToken }) => [id, leaseToken]), [
      [messages[1]?.id, messages[1]?.leaseToken],
    ]);
    assertInstanceOf(refused[0]?.error, ConflictError);
    assert(String(refused[0]?.error).includes("idempotencyKey: stands for"));
    assertEquals(
      new Set(payloads(await transport.claim(claimOf({ queues: ["default"] })))),
      new Set([0, 2]),
    );
    const [, second] = messages;
    const again = settlementOf(second as Envelope, {
      kind: "retry",
      delayMs: 0,
      retryCount: 1,
      errors: [failure],
    });
    assertEquals(await transport.settle([again]), { stale: [] });
    assertEquals(payloads(await transport.claim(claimOf({ queues: ["default"] }))), [2]);
  });

  promise("a dispatch whose key is another message's is not written", async ({ transport }) => {
    const [key] = await transport.send([child(1, { idempotencyKey: "k", delayMs: 0 })]);
    const [held] = await transport.send([child(1, { dedupeKey: "d" })]);
    const [parent] = await claimed(transport, 1).then((all) =>
      all.filter(({ type }) => type === "T")
    );
    const effects = await effectsOf(
      transport,
      child(1, { idempotencyKey: "k", delayMs: 0 }),
      child(2, { dedupeKey: "d" }),
      child(3, { dedupeKey: "free" }),
    );
    assertEquals(await transport.settle([settlementOf(parent as Envelope, handled, effects)]), {
      stale: [],
    });
    const { messages } = await transport.claim(claimOf());
    assertEquals(messages.map(({ id }) => id), [effects.messages[2]?.id]);
    assertNotEquals(key, held);
  });

  promise("what a handled message dispatches may take its dedupe key", async ({ transport }) => {
    await transport.send([{ type: "T", payload: 1, dedupeKey: "own" }]);
    const { messages: [parent] } = await transport.claim(claimOf());
    const effects = await effectsOf(transport, { type: "T", payload: 2, dedupeKey: "own" });
    await transport.settle([settlementOf(parent as Envelope, handled, effects)]);
    assertEquals(payloads(await transport.claim(claimOf())), [2]);
  });

  promise(
    "effects in their parent's group run after it, in the order of their dispatch",
    async (t) => {
      const { transport } = t;
      await transport.send([{ type: "T", payload: 1, groupKey: "g" }]);
      const { messages: [parent] } = await transport.claim(claimOf());
      const effects = await effectsOf(
        transport,
        child("a", { groupKey: "g" }),
        child("b", { groupKey: "g" }),
      );
      await transport.settle([settlementOf(parent as Envelope, handled, effects)]);
      const { messages: first } = await transport.claim(claimOf());
      assertEquals(payloads({ messages: first }), ["a"]);
      await transport.settle(first.map((one) => settlementOf(one, handled)));
      assertEquals(payloads(await transport.claim(claimOf())), ["b"]);
    },
  );

  promise(
    "a cancelled message that was to run again has the effects of its handlers",
    async (t) => {
      const [parent] = await claimed(t.transport, 1);
      await t.transport.cancel({ all: true });
      const effects = await effectsOf(t.transport, child("a"));
      const retry = { kind: "retry", delayMs: 0, retryCount: 1, errors: [failure] } as const;
      const { stale } = await t.transport.settle([
        settlementOf(parent as Envelope, retry, effects),
      ]);
      assertEquals(stale, [parent?.id ?? ""]);
      assertEquals((await t.failed()).map(({ reason }) => reason), ["cancelled"]);
      assertEquals(payloads(await t.transport.claim(claimOf())), ["a"]);
    },
  );

  const step = { handler: "handler", name: "s", key: "", nth: 1 };

  promise("the effects of a step are written with it, once", async ({ transport }) => {
    const [parent] = await claimed(transport, 1);
    const { id = "", leaseToken = "" } = parent ?? {};
    const effects = await effectsOf(transport, child("a"));
    const done = { ...step, kind: "step", status: "done", result: 1, effects } as const;
    const save = { id, leaseToken, version: null, steps: [done] };
    assertEquals(await transport.saveSteps([save]), { stale: [] });
    // The answer may be lost.
    assertEquals(await transport.saveSteps([save]), { stale: [] });
    assertEquals(payloads(await transport.claim(claimOf())), ["a"]);
    const { stale } = await transport.saveSteps([{ ...save, leaseToken: crypto.randomUUID() }]);
    assertEquals(stale, [id]);
  });

  promise("a SQL function runs once for a step, and its result is found", async (t) => {
    const { transport } = t;
    const [parent] = await claimed(transport, 1);
    const { id = "", leaseToken = "" } = parent ?? {};
    const request = { id, leaseToken, version: "v", step, function: "test_double", args: { n: 4 } };
    assertEquals(await transport.effect(request), { result: 8 });
    assertEquals(await transport.effect(request), { result: 8 });
    assertEquals(await t.doubled(), 1);
    const { steps } = await transport.loadSteps([{ id, leaseToken }]);
    assertEquals(steps[id]?.map(({ kind, status, result }) => [kind, status, result]), [
      ["effect", "done", 8],
    ]);
    const other = { ...request, leaseToken: crypto.randomUUID(), step: { ...step, nth: 2 } };
    assertEquals(await transport.effect(other), { stale: true });
    assertEquals(await t.doubled(), 1);
    await assertRejects(
      () => transport.effect({ ...request, step: { ...step, nth: 3 }, function: "nothing" }),
      RangeError,
      "function: there is no function public.nothing",
    );
  });
}
