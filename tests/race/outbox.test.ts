/** Transactions that write to the outbox at once, and the relays that read it meanwhile. */

import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { Racetrack } from "../support/racing.ts";
import { eventually } from "../support/stack.ts";

const track = new Racetrack(3);

const clear = async () => {
  await track.sql`truncate messenger.outbox, messenger.relays, messenger.handled_deliveries,
    public.messenger_messages, public.messenger_ticks`;
  await track.sql`select public.messenger_declare_routing('{"events": true}', '{"T": "events"}')`;
  await track.sql`select public.messenger_dispatch('T', '"first"', group_key => 'g')`;
  await publish();
};

const dispatch = (sql: postgres.Sql, payload: string, group: string | null = "g") =>
  sql`select public.messenger_dispatch('T', ${sql.json(payload)}, group_key => ${group})`;

/** Publishes all that is due, as a relay does, and returns the payloads in their order. */
async function publish(sql: postgres.Sql = track.sql): Promise<string[]> {
  const published: string[] = [];
  for (;;) {
    const token = crypto.randomUUID();
    const [{ claim }] = await sql<
      [{ claim: { shard?: number; messages: { position: string; payload: string }[] } }]
    >`select public.messenger_claim_outbox('events', ${token}) as claim`;
    if (claim.shard === undefined) return published;
    published.push(...claim.messages.map(({ payload }) => payload));
    const sent = claim.messages.map(({ position }) => position);
    await sql`select public.messenger_finish_outbox('events', ${claim.shard}, ${token}, ${sent})`;
  }
}

Deno.test("a dispatch in a group waits for the transaction that has dispatched in it before, and stands behind it", async () => {
  await clear();
  const [first, second] = [track.lane(0), track.lane(1)];
  await first`begin`;
  await dispatch(first, "one");
  let isDone = false;
  const later = dispatch(second, "two").then(() => isDone = true);
  await eventually(
    () => track.sql`select from pg_locks where locktype = 'advisory' and not granted`,
    (waiting) => waiting.length === 1,
  );
  assertEquals([isDone, await publish()], [false, []]);
  await dispatch(first, "one more");
  await first`commit`;
  await later;
  assertEquals(await publish(), ["one", "one more", "two"]);
});

Deno.test("a rollback takes its message back, and lets the next of the group in", async () => {
  await clear();
  const [first, second] = [track.lane(0), track.lane(1)];
  await first`begin`;
  await dispatch(first, "never");
  const later = dispatch(second, "two");
  await first`rollback`;
  await later;
  assertEquals(await publish(), ["two"]);
});

Deno.test("a message that is committed after later ones is published all the same", async () => {
  await clear();
  const [first, second] = [track.lane(0), track.lane(1)];
  await first`begin`;
  await dispatch(first, "early id, late commit", null);
  await dispatch(second, "late id, early commit", null);
  assertEquals(await publish(), ["late id, early commit"]);
  await first`commit`;
  assertEquals(await publish(), ["early id, late commit"]);
});

Deno.test("an operator's cancel and a relay never both get a message", async () => {
  for (let round = 0; round < 20; round++) {
    await clear();
    for (let number = 0; number < 20; number++) await dispatch(track.sql, String(number), null);
    const [published, [{ answer }]] = await Promise.all([
      publish(track.lane(0)),
      track.lane(1)<[{ answer: { done: number } }]>`
        select public.messenger_cancel_outbox("all" => true) as answer`,
    ]);
    assertEquals(published.length + answer.done, 20);
    await track.sql`delete from public.messenger_failed_messages where true`;
  }
});

track.test("copies of the same deliveries that are settled at once are written once", {
  rounds: 20,
  prepare: async () => {
    await clear();
    return [];
  },
  calls: [[1, 2, 3], [3, 2, 1], [2, 3, 1]].map((ids) => (sql) => {
    const token = crypto.randomUUID();
    const adopted = ids.map((id) => ({
      ...{ id, source_id: id, origin: "00000000-0000-4000-8000-000000000001", publication: 1 },
      ...{ token, type: "T", payload: id, queue: "default", priority: 0, retry_count: 0 },
      ...{ attempts: 1, snoozes: 0, interruptions: 0, created_at: new Date() },
    }));
    const dead = ids.map((id) => ({ id, reason: "exhausted" }));
    return sql`select public.messenger_settle_deliveries('events', adopted => ${
      sql.json(adopted as never)
    }, settlements => ${sql.json([{ token, dead }])})`;
  }),
});
