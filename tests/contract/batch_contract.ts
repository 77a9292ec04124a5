/** Promises of every transport: batches are written once, counted exactly, and tell their end once. */

import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import {
  type BatchMember,
  ConflictError,
  defineMessage,
  type DispatchBatchOptions,
  NotFoundError,
  z,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import type {
  Envelope,
  OutgoingMessage,
} from "../../supabase/functions/_shared/symphony/message/envelope.ts";
import { TransportError } from "../../supabase/functions/_shared/symphony/transport/transport.ts";
import { overriding } from "../support/changed_transport.ts";
import { promises } from "./promises.ts";
import { claim, failure, settlementsOf, type TransportUnderTest } from "./under_test.ts";

const handler = () => {};
const Resize = defineMessage({ type: "Resize", schema: z.number(), handler });
const Report = defineMessage({ type: "Report", schema: z.string(), queue: "reports", handler });

const events: DispatchBatchOptions = {
  name: "thumbnails",
  onFinished: { definition: Report, payload: "finished" },
  onSucceeded: { type: "Report", payload: "succeeded" },
  onFailed: { type: "Report", payload: "failed", options: { priority: 5 } },
};

const dead = { kind: "dead", reason: "exhausted", errors: [failure] } as const;
const handled = { kind: "handled" } as const;

function busOver({ transport }: TransportUnderTest): MessageBus {
  return new MessageBus({ registry: createRegistry([Resize, Report]), transport });
}

function* members(count: number): Generator<BatchMember> {
  for (let n = 1; n <= count; n++) yield { definition: Resize, payload: n };
}

/** Claims members; those whose payload is among `dying` become dead letters, the others are handled. */
async function finish(
  { transport }: TransportUnderTest,
  id: string,
  dying: readonly number[] = [],
): Promise<void> {
  const { messages } = await claim(transport, { queues: ["default"], maxMessages: 5_000 });
  const isDying = ({ payload }: Envelope) => dying.includes(Number(payload));
  await transport.settle([
    ...settlementsOf(messages.filter(isDying), dead),
    ...settlementsOf(messages.filter((message) => !isDying(message)), handled),
  ]);
  await transport.foldBatches([id]);
}

/** The payloads of the messages that batches have dispatched since the last look, in order. */
async function told({ transport }: TransportUnderTest): Promise<unknown[]> {
  const { messages } = await claim(transport, { queues: ["reports"] });
  await transport.settle(settlementsOf(messages, handled));
  return messages.toSorted((a, b) => Number(a.id) - Number(b.id)).map(({ payload }) => payload);
}

/** The counts of a batch: status, total, handled, failed, pending. */
async function counts({ transport }: TransportUnderTest, id: string): Promise<unknown[]> {
  const state = await transport.followBatch(id);
  return [state?.status, state?.total, state?.handled, state?.failed, state?.pending];
}

/** Registers the suite for one transport. */
export function testBatches(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("a batch tells its end once, when all members are handled", async (t) => {
    const id = await busOver(t).dispatchBatch(members(3), events);
    assertEquals(await counts(t, id), ["running", 3, 0, 0, 3]);
    await finish(t, id);
    assertEquals(await counts(t, id), ["handled", 3, 3, 0, 0]);
    assertEquals(await told(t), ["finished", "succeeded"]);
    await t.transport.foldBatches([id]);
    assertEquals(await told(t), []);
  });

  promise("members and messages of events are stamped", async (t) => {
    const id = await busOver(t).dispatchBatch(members(2), events);
    const { messages } = await claim(t.transport);
    assertEquals(messages.map(({ stamps }) => stamps.batch), [{ id, nth: 1 }, { id, nth: 2 }]);
    await t.transport.settle(settlementsOf(messages, handled));
    await t.transport.foldBatches([id]);
    const { messages: [first] } = await claim(t.transport);
    assertEquals(first?.stamps.ofBatch, {
      id,
      name: "thumbnails",
      event: "finished",
      total: 2,
      handled: 2,
      failed: 0,
    });
  });

  promise("the first dead letter is told once, and the end as well", async (t) => {
    const id = await busOver(t).dispatchBatch(members(4), events);
    const { messages } = await claim(t.transport, { maxMessages: 2 });
    await t.transport.settle(settlementsOf(messages, dead));
    await t.transport.foldBatches([id]);
    assertEquals(await told(t), ["failed"]);
    await finish(t, id, [3]);
    assertEquals(await told(t), ["finished"]);
    assertEquals(await counts(t, id), ["failed", 4, 1, 3, 0]);
  });

  promise("a retry and a snooze leave a member pending", async (t) => {
    const id = await busOver(t).dispatchBatch(members(2), events);
    const { messages } = await claim(t.transport);
    await t.transport.settle([
      ...settlementsOf(messages.slice(0, 1), { kind: "snoozed", delayMs: 0 }),
      ...settlementsOf(messages.slice(1), {
        kind: "retry",
        delayMs: 0,
        retryCount: 1,
        errors: [failure],
      }),
    ]);
    await t.transport.foldBatches([id]);
    assertEquals(await counts(t, id), ["running", 2, 0, 0, 2]);
    await finish(t, id);
    assertEquals(await told(t), ["finished", "succeeded"]);
  });

  promise("an array that is dispatched again continues where a killed call left off", async (t) => {
    const { transport } = t;
    const array = [...members(2_500)];
    // The process dies once the second chunk is written.
    const dying = busOver({
      ...t,
      transport: overriding(transport, {
        writeBatch: async (chunk) => {
          if (chunk.chunk === 3) throw new Error("killed");
          return await transport.writeBatch(chunk);
        },
      }),
    });
    await assertRejects(() => dying.dispatchBatch(array, events), Error, "killed");
    const id = await busOver(t).dispatchBatch(array, events);
    assertEquals(await counts(t, id), ["running", 2_500, 0, 0, 2_500]);
    const { messages } = await claim(transport, { queues: ["default"], maxMessages: 5_000 });
    assertEquals(messages.length, 2_500);
    // A whole batch is another one when it is dispatched again.
    assertNotEquals(await busOver(t).dispatchBatch(array, events), id);
  });

  promise("an answer to the last chunk that was lost makes no second batch", async (t) => {
    const { transport } = t;
    let isLost = false;
    const lossy = busOver({
      ...t,
      transport: overriding(transport, {
        writeBatch: async (chunk) => {
          const answer = await transport.writeBatch(chunk);
          if (!chunk.isLast || isLost) return answer;
          isLost = true;
          throw new TransportError("writeBatch", "the answer was lost", true);
        },
      }),
    });
    const id = await lossy.dispatchBatch([...members(1_001)], events);
    assertEquals(await counts(t, id), ["running", 1_001, 0, 0, 1_001]);
  });

  promise("an empty batch ends at once", async (t) => {
    const id = await busOver(t).dispatchBatch([], events);
    assertEquals(await told(t), ["finished", "succeeded"]);
    assertEquals(await counts(t, id), ["handled", 0, 0, 0, 0]);
  });

  promise("a batch that was interrupted and is repeated has each member once", async (t) => {
    const bus = busOver(t);
    const options = { ...events, idempotencyKey: "import:7" };
    function* killed() {
      yield* members(1_500);
      throw new Error("killed");
    }
    await assertRejects(() => bus.dispatchBatch(killed(), options), Error, "killed");
    const id = await bus.dispatchBatch(members(2_500), options);
    assertEquals(await bus.dispatchBatch(members(2_500), options), id);
    assertEquals(await counts(t, id), ["running", 2_500, 0, 0, 2_500]);
    await finish(t, id);
    assertEquals(await counts(t, id), ["handled", 2_500, 2_500, 0, 0]);
    assertEquals(await told(t), ["finished", "succeeded"]);
  });

  promise("a batch that is not sealed does not end", async (t) => {
    const head = await busOver(t).prepareBatch({ ...events, idempotencyKey: "k" });
    const message = { type: "Resize", payload: 1 };
    const first = await t.transport.writeBatch({
      head,
      messages: [message],
      chunk: 1,
      isLast: false,
    });
    await finish(t, first.id);
    assertEquals([await told(t), await counts(t, first.id)], [[], ["open", 1, 1, 0, 0]]);
    assertEquals(
      await t.transport.writeBatch({ head, messages: [], chunk: 2, isLast: true }),
      { ...first, sealed: true },
    );
    assertEquals(await told(t), ["finished", "succeeded"]);
  });

  promise("a key stands for one content, until a day after the batch was sealed", async (t) => {
    const bus = busOver(t);
    const options = { name: "import", idempotencyKey: "k" };
    const id = await bus.dispatchBatch(members(2), options);
    await assertRejects(
      () => bus.dispatchBatch(members(3), options),
      ConflictError,
      "idempotencyKey: stands for a batch with other content",
    );
    await assertRejects(
      () => bus.dispatchBatch(members(2), { ...options, name: "another" }),
      ConflictError,
    );
    await t.advance(86_400_000);
    assertEquals(await bus.dispatchBatch(members(3), options) === id, false);
  });

  promise("a batch is not sealed with fewer chunks than it has", async (t) => {
    const head = await busOver(t).prepareBatch({ ...events, idempotencyKey: "k" });
    const chunkOf = (payload: number, chunk: number, isLast: boolean) => ({
      ...{ head, messages: [{ type: "Resize", payload }], chunk, isLast },
    });
    await t.transport.writeBatch(chunkOf(1, 1, false));
    await t.transport.writeBatch(chunkOf(2, 2, false));
    await assertRejects(
      () => t.transport.writeBatch(chunkOf(1, 1, true)),
      ConflictError,
      "idempotencyKey: stands for a batch with other content",
    );
    const { total, sealed } = await t.transport.writeBatch(chunkOf(2, 2, true));
    assertEquals([total, sealed], [2, true]);
  });

  promise("a message that was there under a key of its own is no member", async (t) => {
    const bus = busOver(t);
    const once = { type: "Resize", payload: 1, options: { idempotencyKey: "one" } };
    await bus.dispatchAll([once]);
    const id = await bus.dispatchBatch([once, { type: "Resize", payload: 2 }], events);
    assertEquals(await counts(t, id), ["running", 1, 0, 0, 1]);
    await finish(t, id);
    assertEquals(await told(t), ["finished", "succeeded"]);
  });

  for (const key of ["idempotencyKey", "dedupeKey"] as const) {
    promise(
      `a member whose ${key} is a member's of an earlier chunk is counted once`,
      async (t) => {
        const head = await busOver(t).prepareBatch({ ...events, idempotencyKey: "k" });
        const plain = { type: "Resize", payload: 1 };
        const keyed = { ...plain, [key]: "one" };
        const chunk = (chunk: number, messages: OutgoingMessage[], isLast = false) =>
          t.transport.writeBatch({ head, messages, chunk, isLast });
        const { id } = await chunk(1, [keyed, plain]);
        await chunk(2, [plain, keyed]);
        await chunk(3, [keyed], true);
        assertEquals(await counts(t, id), ["running", 3, 0, 0, 3]);
        await finish(t, id);
        assertEquals(await told(t), ["finished", "succeeded"]);
      },
    );
  }

  promise(
    "a member's own key that stands for other content names the member, and a batch's key none",
    async (t) => {
      const bus = busOver(t);
      const keyed = { type: "Resize", payload: 1, options: { idempotencyKey: "one" } };
      await bus.dispatchAll([keyed]);
      const other = { ...keyed, payload: 2 };
      const before = Array.from({ length: 1_500 }, () => ({ type: "Resize", payload: 0 }));
      const ofMember = await assertRejects(
        () => bus.dispatchBatch([...before, other], { name: "import" }),
        ConflictError,
        "idempotencyKey: stands for a message",
      );
      const options = { name: "import", idempotencyKey: "k" };
      await bus.dispatchBatch(members(2), options);
      const ofBatch = await assertRejects(
        () => bus.dispatchBatch(members(3), options),
        ConflictError,
      );
      assertEquals([ofMember.index, ofBatch.index], [1_500, undefined]);
    },
  );

  promise("a cancelled batch ends, and takes no further member", async (t) => {
    const head = await busOver(t).prepareBatch({ ...events, idempotencyKey: "k" });
    const chunk = { head, messages: [1, 2, 3].map((payload) => ({ type: "Resize", payload })) };
    const { id } = await t.transport.writeBatch({ ...chunk, chunk: 1, isLast: false });
    const { messages } = await claim(t.transport, { maxMessages: 1 });
    assertEquals(await t.transport.cancelBatch(id), { cancelled: 2, running: 1 });
    assertEquals(await counts(t, id), ["cancelling", 3, 0, 2, 1]);
    await assertRejects(
      () => t.transport.writeBatch({ ...chunk, chunk: 2, isLast: true }),
      ConflictError,
      "is cancelled",
    );
    await t.transport.settle(settlementsOf(messages, handled));
    await t.transport.foldBatches([id]);
    assertEquals(await counts(t, id), ["cancelled", 3, 1, 2, 0]);
    assertEquals(await told(t), ["finished"]);
    await assertRejects(() => t.transport.cancelBatch("999999"), NotFoundError);
  });

  promise("a batch is followed by its user, and by no other", async (t) => {
    const head = { name: "mine", userId: "ann" };
    const { id } = await t.transport.writeBatch({ head, messages: [], chunk: 1, isLast: true });
    assertEquals((await t.transport.followBatch(id, "ann"))?.name, "mine");
    assertEquals(await t.transport.followBatch(id, "bob"), null);
    assertEquals(await t.transport.followBatch("999999"), null);
  });

  promise(
    "a batch ends whose members are cancelled one by one, or while they are parked",
    async (t) => {
      const id = await busOver(t).dispatchBatch(members(3), events);
      const { messages } = await claim(t.transport, { queues: ["default"], maxMessages: 2 });
      await t.transport.settle(settlementsOf(messages, { kind: "parked", delayMs: 60_000 }));
      assertEquals(await t.transport.cancel({ type: "Resize" }), { cancelled: 3, running: 0 });
      await t.transport.foldBatches([id]);
      assertEquals(await counts(t, id), ["failed", 3, 0, 3, 0]);
      assertEquals((await told(t)).sort(), ["failed", "finished"]);
      assertEquals(await t.transport.cancelBatch(id), { cancelled: 0, running: 0 });
      assertEquals(await told(t), []);
    },
  );

  promise("a batch of no members that is cancelled at its end tells nothing more", async (t) => {
    const id = await busOver(t).dispatchBatch([], events);
    assertEquals(await t.transport.cancelBatch(id), { cancelled: 0, running: 0 });
    assertEquals(await told(t), ["finished", "succeeded"]);
    assertEquals((await counts(t, id)).slice(1), [0, 0, 0, 0]);
  });

  promise("a batch ends once its parked members are handled, and not before", async (t) => {
    const id = await busOver(t).dispatchBatch(members(2), events);
    const { messages } = await claim(t.transport, { queues: ["default"] });
    await t.transport.settle(settlementsOf(messages, { kind: "parked", delayMs: 60_000 }));
    await t.transport.foldBatches([id]);
    assertEquals([await counts(t, id), await told(t)], [["running", 2, 0, 0, 2], []]);
    await t.advance(60_000);
    await finish(t, id, [2]);
    assertEquals(await counts(t, id), ["failed", 2, 1, 1, 0]);
    assertEquals(await told(t), ["failed", "finished"]);
  });
}
