/** Promises of every transport: durable steps are stored under the lease, once, and found by later runs. */

import { assertEquals } from "@std/assert";
import type { Capabilities } from "../../supabase/functions/_shared/symphony/index.ts";
import type {
  StepIdentity,
  StepToStore,
} from "../../supabase/functions/_shared/symphony/message/stored-step.ts";
import type { Envelope, Transport } from "../../supabase/functions/_shared/symphony/index.ts";
import { handled } from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { allMovedOn } from "../../supabase/functions/_shared/symphony/worker/durable/event-cursor.ts";
import { promises } from "./promises.ts";
import { claim, failure, LEASE_MS, settle, type TransportUnderTest } from "./under_test.ts";

const identity = (name: string, more: Partial<StepIdentity> = {}): StepIdentity => ({
  handler: "handler",
  name,
  key: "",
  nth: 1,
  ...more,
});

const done = (name: string, result?: unknown, more: Partial<StepIdentity> = {}): StepToStore => ({
  ...identity(name, more),
  kind: "step",
  status: "done",
  ...(result !== undefined && { result }),
});

/** Sends and claims one message. */
async function running({ transport }: TransportUnderTest, more = {}): Promise<Envelope> {
  await transport.send([{ type: "T", payload: 1, ...more }]);
  return await again(transport);
}

async function again(transport: Transport): Promise<Envelope> {
  const { messages: [message] } = await claim(transport);
  if (!message) throw new Error("no message is due");
  return message;
}

const save = (
  { transport }: TransportUnderTest,
  { id, leaseToken }: Pick<Envelope, "id" | "leaseToken">,
  ...steps: StepToStore[]
) => transport.saveSteps([{ id, leaseToken, version: "v1", steps }]);

const load = async (
  { transport }: TransportUnderTest,
  { id, leaseToken }: Pick<Envelope, "id" | "leaseToken">,
  step?: StepIdentity,
) => (await transport.loadSteps([{ id, leaseToken, ...(step && { step }) }])).steps[id] ?? [];

/** A sleep of a minute. */
const minute = {
  ...identity("sleep"),
  ...{ kind: "sleep", status: "pending", untilMs: 60_000 } as const,
};

/** A message that has steps is home's: another transport gives it to home, whose worker runs it from then on. */
const AT_HOME: Partial<Capabilities> = { settle: "atomic" };

/** Registers the suite for one transport. */
export function testSteps(
  name: string,
  open: () => Promise<TransportUnderTest>,
  promised?: Capabilities,
): void {
  const promise = promises(name, open, promised);

  promise("stored steps are loaded in their order, with what they returned", async (t) => {
    const message = await running(t);
    assertEquals(await load(t, message), []);
    await save(t, message, done("a", { n: 1 }), done("b"));
    await save(t, message, done("c", null, { key: "k", nth: 2 }));
    const base = { handler: "handler", kind: "step", status: "done", nth: 1, key: "" };
    assertEquals<unknown>(await load(t, message), [
      { ...base, name: "a", result: { n: 1 } },
      { ...base, name: "b" },
      { ...base, name: "c", key: "k", nth: 2, result: null },
    ]);
  });

  promise("a stored step stays as it is when it is stored again", async (t) => {
    const message = await running(t);
    await save(t, message, done("a", 1));
    assertEquals(await save(t, message, done("a", 2)), { stale: [] });
    assertEquals((await load(t, message)).map(({ result }) => result), [1]);
  });

  promise(
    "a worker whose lease is another's stores and reads nothing, and is told so",
    async (t) => {
      const message = await running(t);
      await save(t, message, done("a", 1));
      const old = { ...message, leaseToken: crypto.randomUUID() };
      assertEquals(await save(t, old, done("b", 2)), { stale: [message.id] });
      const { id, leaseToken } = old;
      const loaded = await t.transport.loadSteps([{ id, leaseToken }]);
      assertEquals([loaded.steps[id] ?? [], loaded.stale], [[], [id]]);
      assertEquals((await load(t, message)).map(({ name }) => name), ["a"]);
    },
  );

  promise("the identity of the store stays the same", async ({ transport }) => {
    const [a, b] = [await transport.loadSteps([]), await transport.loadSteps([])];
    assertEquals(a, b);
    assertEquals(/^[0-9a-f-]{36}$/.test(a.installation), true);
  });

  promise(
    "a stored step begins retries and interruptions again, and marks the message",
    async (t) => {
      const first = await running(t, { ttlMs: 3_000 });
      const retry = {
        kind: "retry",
        delayMs: 0,
        retryCount: 2,
        quarantined: true,
        errors: [failure],
      };
      await settle(t.transport, [first], retry as never);
      const { messages: [second] } = await claim(t.transport, { quarantined: true });
      if (!second) throw new Error("it is not due");
      await save(t, second, done("a"));
      await settle(t.transport, [second], {
        ...{ kind: "retry", delayMs: 0, retryCount: 0, interrupted: true, errors: [failure] },
        stamps: { ...second.stamps, durable: { version: "v1" } },
      });
      // Its time to live has ended with the step.
      await t.advance(10_000);
      const third = await again(t.transport);
      assertEquals(
        [third.retryCount, third.interruptions, third.quarantined, third.expiresAt, third.stamps],
        [0, 1, false, null, { durable: { version: "v1" } }],
      );
      await t.transport.saveSteps([
        { id: third.id, leaseToken: third.leaseToken, version: "v2", steps: [done("b")] },
      ]);
      await settle(t.transport, [third], {
        ...{ kind: "retry", delayMs: 0, retryCount: 0, errors: [failure] },
      });
      const fourth = await again(t.transport);
      assertEquals([fourth.interruptions, fourth.stamps], [0, { durable: { version: "v1" } }]);
    },
    AT_HOME,
  );

  promise("large results are loaded one by one", async (t) => {
    const message = await running(t);
    const large = "x".repeat(20_000);
    await save(t, message, done("small", 1), done("large", large));
    const [small, left] = await load(t, message);
    assertEquals([small?.result, left?.result, (left?.leftOut ?? 0) >= 20_000], [
      1,
      undefined,
      true,
    ]);
    const whole = await load(t, message, identity("large"));
    assertEquals(whole.map(({ name, result }) => [name, result]), [["large", large]]);
  });

  promise("the steps of a handled message go with it", async (t) => {
    const message = await running(t);
    await save(t, message, done("a"));
    await settle(t.transport, [message], { ...handled, durable: true });
    assertEquals(await t.steps(message.id), []);
  });

  promise("the steps of a dead letter stay", async (t) => {
    const message = await running(t);
    await save(t, message, done("a"));
    await settle(t.transport, [message], { kind: "dead", reason: "exhausted", errors: [failure] });
    assertEquals(await t.steps(message.id), ["a"]);
  });

  promise("a parked message sleeps until its step ends, and no attempt is charged", async (t) => {
    const message = await running(t, { ttlMs: 3_000 });
    const stamps = { durable: { version: null } };
    await settle(t.transport, [message], { kind: "parked", delayMs: null, step: minute, stamps });
    assertEquals((await claim(t.transport)).messages, []);
    await t.advance(60_000);
    const second = await again(t.transport);
    assertEquals(
      [second.attempts, second.retryCount, second.snoozes, second.expiresAt, second.stamps],
      [1, 0, 0, null, stamps],
    );
    const [slept] = await load(t, second);
    assertEquals([slept?.status, slept?.kind, (slept?.leftMs ?? 1) <= 0], ["done", "sleep", true]);
  });

  promise("a sleep that another run finds early keeps its end", async (t) => {
    const message = await running(t);
    await settle(t.transport, [message], { kind: "parked", delayMs: 0, step: minute });
    await t.advance(20_000);
    const second = await again(t.transport);
    const [sleeping] = await load(t, second);
    assertEquals([sleeping?.status, Math.round((sleeping?.leftMs ?? 0) / 10_000)], ["pending", 4]);
    await settle(t.transport, [second], { kind: "parked", delayMs: null });
    await t.advance(39_000);
    assertEquals((await claim(t.transport)).messages, []);
    await t.advance(1_000);
    await again(t.transport);
  }, AT_HOME);

  promise("a message that sleeps on does so to the end of that sleep", async (t) => {
    const message = await running(t);
    // Its handler has changed since: this wait is pending for ever.
    const wait = { ...minute, name: "approved", kind: "wait" } as const;
    await settle(t.transport, [message], { kind: "parked", delayMs: null, step: wait });
    await t.advance(60_000);
    const second = await again(t.transport);
    const { untilMs: _, ...sleep } = minute;
    const hour = { ...sleep, untilMs: 3_600_000 };
    await settle(t.transport, [second], { kind: "parked", delayMs: 0, step: hour });
    const third = await again(t.transport);
    await settle(t.transport, [third], { kind: "parked", delayMs: null, step: sleep });
    await t.advance(3_599_000);
    assertEquals((await claim(t.transport)).messages, []);
    await t.advance(1_000);
    await again(t.transport);
  }, AT_HOME);

  /** A wait for events that ends in a minute, and has seen what a read has brought. */
  const waiting = async (t: TransportUnderTest, message: Envelope, key: string) => {
    const { id, leaseToken, createdAt: since } = message;
    const read = { id, leaseToken, keys: [key], cursors: {}, since };
    const { reads: [one], snapshot, lastId } = await t.transport.readEvents([read]);
    const seen = { events: one?.events ?? [], isAll: true, snapshot, lastId };
    const details = { keys: [key], since, cursors: allMovedOn([key], {}, seen) };
    const step = { ...minute, name: key, kind: "wait", details } as const;
    return { kind: "parked", delayMs: null, step, waits: [key] } as const;
  };

  promise("a wait that a changed handler has left out wakes its message no more", async (t) => {
    const message = await running(t);
    const stamps = { durable: { version: null } };
    await settle(t.transport, [message], { ...await waiting(t, message, "old"), stamps });
    await t.advance(60_000);
    const second = await again(t.transport);
    await load(t, second);
    const hour = { ...minute, untilMs: 3_600_000 };
    await settle(t.transport, [second], { kind: "parked", delayMs: null, step: hour });
    await t.transport.emit("old", 1);
    assertEquals((await claim(t.transport)).messages, []);
    assertEquals(await t.steps(message.id), ["sleep"]);
    await t.advance(3_600_000);
    const third = await again(t.transport);
    await load(t, third);
    const retry = { kind: "retry", delayMs: 1_000, retryCount: 1, errors: [failure] } as const;
    await settle(t.transport, [third], retry);
    await t.transport.emit("old", 2);
    assertEquals((await claim(t.transport)).messages, []);
  }, AT_HOME);

  promise(
    "a wait passes over what it has seen, also where a changed handler has left out another",
    async (t) => {
      const message = await running(t);
      await settle(t.transport, [message], await waiting(t, message, "old"));
      await t.advance(60_000);
      const second = await again(t.transport);
      await t.transport.emit("new", "does not fit");
      await settle(t.transport, [second], await waiting(t, second, "new"));
      assertEquals((await claim(t.transport)).messages, []);
      assertEquals(await t.steps(message.id), ["new"]);
      await t.transport.emit("new", "fits");
      await again(t.transport);
    },
    AT_HOME,
  );

  promise("a parked message keeps its group, unless it leaves it", async (t) => {
    for (const [leaveGroup, next] of [[false, []], [true, [2]]] as const) {
      const first = await running(t, { groupKey: `g ${leaveGroup}` });
      await t.transport.send([{ type: "T", payload: 2, groupKey: `g ${leaveGroup}` }]);
      await settle(t.transport, [first], { kind: "parked", delayMs: LEASE_MS * 10, leaveGroup });
      const { messages } = await claim(t.transport);
      assertEquals(messages.map(({ payload }) => payload), [...next]);
      await settle(t.transport, messages);
    }
  }, AT_HOME);

  promise("a parked message keeps its dedupe key and its payload", async (t) => {
    const once = { dedupeKey: "k", dedupe: "until-finished" } as const;
    const stamps = { durable: { version: null } };
    const first = await running(t, once);
    await settle(t.transport, [first], { kind: "parked", delayMs: null, step: minute, stamps });
    const repeated = { type: "T", payload: 2, ...once };
    assertEquals(await t.transport.send([repeated]), [first.id]);
    const [other] = await t.transport.send([{ ...repeated, payload: 3, dedupe: "replace" }]);
    await t.advance(60_000);
    const { messages } = await claim(t.transport);
    assertEquals(
      messages.map(({ id, payload }) => [id, payload]).sort(),
      [[first.id, 1], [other, 3]],
    );
  }, AT_HOME);

  promise("each resume of a parked message is one start for its queue's rate", async (t) => {
    await t.setQueue("default", { rateLimit: 2, ratePeriodMs: 60_000 });
    const first = await running(t);
    await settle(t.transport, [first], { kind: "parked", delayMs: 1_000 });
    await t.advance(1_000);
    const second = await again(t.transport);
    await settle(t.transport, [second], { kind: "parked", delayMs: 1_000 });
    await t.advance(1_000);
    assertEquals((await claim(t.transport)).messages, []);
    await t.advance(60_000);
    assertEquals((await again(t.transport)).id, first.id);
  }, AT_HOME);

  promise("a cancelled message that is parked becomes a dead letter", async (t) => {
    const message = await running(t);
    await t.transport.cancel({ ids: [message.id] });
    const { stale } = await t.transport.settle([
      { id: message.id, leaseToken: message.leaseToken, outcome: { kind: "parked", delayMs: 5 } },
    ]);
    assertEquals(stale, [message.id]);
    assertEquals((await t.failed()).map(({ reason }) => reason), ["cancelled"]);
  }, AT_HOME);

  promise("each durable call of a running message tells that it was cancelled", async (t) => {
    const { transport } = t;
    const message = await running(t);
    const other = await running(t);
    const { id, leaseToken } = message;
    await transport.cancel({ ids: [id] });
    const told = { stale: [], cancelled: [id] };
    assertEquals(await save(t, message, done("a", 1)), told);
    assertEquals(await save(t, other, done("a", 1)), { stale: [] });
    const { stale, cancelled } = await transport.loadSteps(
      [message, other].map(({ id, leaseToken }) => ({ id, leaseToken })),
    );
    assertEquals({ stale, cancelled }, told);
    const read = { keys: ["e"], cursors: {}, since: message.createdAt };
    const reads = await transport.readEvents(
      [message, other].map(({ id, leaseToken }) => ({ id, leaseToken, ...read })),
    );
    assertEquals([reads.stale, reads.cancelled, reads.reads.map(({ id }) => id)], [[], [id], [
      other.id,
    ]]);
    const request = { id, leaseToken, version: null, step: identity("f") };
    assertEquals(
      await transport.effect({ ...request, function: "test_double", args: { n: 4 } }),
      { cancelled: true },
    );
    assertEquals(await t.doubled(), 0);
    // The stored step stays with the dead letter.
    const dead = { kind: "dead", reason: "cancelled", errors: [failure] } as const;
    await settle(transport, [message], dead);
    assertEquals(await t.steps(id), ["a"]);
  }, AT_HOME);
}
