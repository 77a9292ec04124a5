/** Promises of every transport: events are kept in order, and read by the messages that wait for them. */

import { assertEquals, assertRejects } from "@std/assert";
import { ConflictError } from "../../supabase/functions/_shared/symphony/message/errors.ts";
import { RateLimitedError } from "../../supabase/functions/_shared/symphony/message/rate-limit.ts";
import type { EventRead } from "../../supabase/functions/_shared/symphony/transport/event-reads.ts";
import { TransportError } from "../../supabase/functions/_shared/symphony/transport/transport.ts";
import { allMovedOn } from "../../supabase/functions/_shared/symphony/worker/durable/event-cursor.ts";
import { promises } from "./promises.ts";
import { claimOf, type TransportUnderTest } from "./under_test.ts";

/** A message that runs, and the read of the keys that it waits for. */
async function running({ transport }: TransportUnderTest, keys: string[]): Promise<EventRead> {
  await transport.send([{ type: "T", payload: 1 }]);
  const { messages: [message] } = await transport.claim(claimOf());
  if (!message) throw new Error("the claim brought no message");
  const { id, leaseToken, createdAt } = message;
  return { id, leaseToken, keys, cursors: {}, since: createdAt };
}

async function valuesOf(t: TransportUnderTest, read: EventRead): Promise<unknown[]> {
  const { reads } = await t.transport.readEvents([read]);
  return reads.flatMap(({ events }) => events.map(({ value }) => value));
}

/** Registers the suite for one transport. */
export function testEvents(name: string, open: () => Promise<TransportUnderTest>): void {
  const promise = promises(name, open);

  promise("a message reads the events of its keys in their order", async (t) => {
    const read = await running(t, ["x", "y"]);
    const ids = [];
    for (const [event, value] of [["x", 1], ["y", { a: [true] }], ["z", 3], ["x", null]] as const) {
      ids.push(await t.transport.emit(event, value));
    }
    const { reads, stale } = await t.transport.readEvents([read]);
    assertEquals(stale, []);
    assertEquals(reads, [{
      id: read.id,
      more: false,
      events: [
        { id: ids[0] ?? "", event: "x", value: 1 },
        { id: ids[1] ?? "", event: "y", value: { a: [true] } },
        { id: ids[3] ?? "", event: "x", value: null },
      ],
    }]);
  });

  promise("events of before count if the read begins there", async (t) => {
    await t.transport.emit("x", "before");
    await t.advance(3_600_000);
    const read = await running(t, ["x"]);
    await t.transport.emit("x", "after");
    assertEquals(await valuesOf(t, read), ["after"]);
    const since = new Date(read.since.getTime() - 7_200_000);
    assertEquals(await valuesOf(t, { ...read, since }), ["before", "after"]);
  });

  promise("a read continues behind what was seen, also where nothing was there", async (t) => {
    await t.transport.emit("x", "before");
    await t.advance(1_000);
    const read = await running(t, ["x", "y"]);
    let cursors: EventRead["cursors"] = {};
    const values = async () => {
      const { reads, snapshot, lastId } = await t.transport.readEvents([{ ...read, cursors }]);
      const [{ events, more } = { events: [], more: true }] = reads;
      const examined = { events, isAll: !more, snapshot, lastId };
      cursors = allMovedOn(read.keys, cursors, examined);
      return events.map(({ value }) => value);
    };
    assertEquals(await values(), []);
    await t.transport.emit("x", 1);
    await t.transport.emit("y", 2);
    assertEquals(await values(), [1, 2]);
    assertEquals(await values(), []);
    await t.transport.emit("y", 3);
    assertEquals(await values(), [3]);
  });

  promise("a read brings at most 100 events, and says that there are more", async (t) => {
    const read = await running(t, ["x"]);
    for (let n = 1; n <= 101; n++) await t.transport.emit("x", n);
    const { reads: [first] } = await t.transport.readEvents([read]);
    assertEquals([first?.events.length, first?.more], [100, true]);
  });

  promise("a read under another token brings nothing", async (t) => {
    const read = await running(t, ["x"]);
    await t.transport.emit("x", 1);
    const leaseToken = crypto.randomUUID();
    const { reads, stale } = await t.transport.readEvents([{ ...read, leaseToken }]);
    assertEquals([reads, stale], [[], [read.id]]);
  });

  promise("a token emits once", async (t) => {
    const read = await running(t, ["x"]);
    const token = { id: crypto.randomUUID(), expiresAt: new Date("2030-01-01") };
    await t.transport.emit("x", 1, token);
    await assertRejects(() => t.transport.emit("x", 2, token), ConflictError, "token: was used");
    assertEquals(await valuesOf(t, read), [1]);
  });

  promise("an emit that a rate limit refuses is never there", async (t) => {
    const read = await running(t, ["x"]);
    const limits = [{ type: "event x", caller: "user:ann", count: 1, max: 1, perMs: 60_000 }];
    const emit = (value: unknown) => t.transport.emit("x", value, undefined, limits);
    await emit(1);
    await assertRejects(() => emit(2), RateLimitedError, "event: too many emits of x");
    await t.advance(61_000);
    await emit(3);
    assertEquals(await valuesOf(t, read), [1, 3]);
  });

  promise("a value that Postgres cannot hold is refused", async (t) => {
    const read = await running(t, ["x"]);
    await assertRejects(() => t.transport.emit("x", "\0"), TransportError);
    assertEquals(await valuesOf(t, read), []);
  });
}
