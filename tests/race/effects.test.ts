/** Effects meet transactions that hold the keys of their dispatches. */

import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { type Lease, Racetrack } from "../support/racing.ts";

const track = new Racetrack(3);

/** A settle call that handles these messages; each dispatches a child under the key of its place. */
async function settle(
  sql: postgres.Sql | postgres.TransactionSql,
  { token, ids }: Lease,
  keys: (string | null)[],
) {
  const effects = [];
  for (const [index, id] of ids.entries()) {
    const [{ reserved }] = await sql<[{ reserved: { ids: string[] } }]>`
      select public.messenger_reserve_ids(1) as reserved`;
    const key = keys[index];
    const message = { id: reserved.ids[0] ?? "", type: "Child" };
    effects.push({ id, messages: [key ? { ...message, dedupe_key: key } : message] });
  }
  const [{ answer }] = await sql<
    [{ answer: { stale: string[]; refused?: { id: string; code: string }[] } }]
  >`select public.messenger_settle(${sql.json([{ token, handled: [...ids], effects }])}) as answer`;
  return answer;
}

/** Writes messages of type `T` and claims them. */
async function leased(sql: postgres.Sql, number: number): Promise<Lease> {
  const token = crypto.randomUUID();
  await sql`insert into public.messenger_messages (type, payload)
    select 'T', '{}' from generate_series(1, ${number})`;
  await sql`select public.messenger_claim(${token}, 100)`;
  const rows = await sql<{ id: string }[]>`select id::text from public.messenger_messages
    where lease_token = ${token} order by id`;
  return { token, ids: rows.map(({ id }) => id) };
}

const clear = async () => {
  await track.sql`truncate public.messenger_messages, public.messenger_failed_messages,
    messenger.idempotency_keys, messenger.leases`;
};

Deno.test("a transaction that holds a key delays no outcome but those of the messages that dispatch with it", async () => {
  await clear();
  const holder = track.lane(0);
  const worker = track.lane(1);
  const lease = await leased(worker, 60);
  await holder`begin`;
  try {
    await holder`select public.messenger_dispatch('Child', dedupe_key => 'held')`;
    // Two thirds dispatch with the held key. Without a bound, the call would wait for the transaction's end.
    const keys = lease.ids.map((_, index) => index % 3 === 0 ? null : "held");
    const { stale, refused = [] } = await settle(worker, lease, keys);
    assertEquals([stale, refused.length], [[], 40]);
    assertEquals(new Set(refused.map(({ code }) => code)), new Set(["PT423"]));
    const running = await track
      .sql`select id from public.messenger_messages where status = 'processing'`;
    assertEquals(running.length, 40);
    const children = await track.sql`select id from public.messenger_messages where type = 'Child'`;
    assertEquals(children.length, 20);
  } finally {
    await holder`rollback`;
  }
  // The key is free, and the messages still have their lease.
  const rest = await track.sql<{ id: string }[]>`
    select id::text from public.messenger_messages where status = 'processing' order by id`;
  const again = await settle(worker, { token: lease.token, ids: rest.map(({ id }) => id) }, [
    "held",
  ]);
  assertEquals(again, { stale: [] });
});

track.test("settle calls that dispatch with the same keys in other orders both end", {
  rounds: 20,
  prepare: async (sql) => {
    await clear();
    return [await leased(sql, 10), await leased(sql, 10)];
  },
  calls: [0, 1].map((own) => async (sql, leases) => {
    const lease = leases[own] ?? { token: "", ids: [] };
    const keys = lease.ids.map((_, index) => `k${own === 0 ? index : 9 - index}`);
    const { stale } = await settle(sql, lease, keys);
    assertEquals(stale, []);
  }),
});

track.test("a settle call with keys, a keyed dispatch and a cancel in one transaction all end", {
  rounds: 20,
  prepare: async (sql) => {
    await clear();
    return [await leased(sql, 10)];
  },
  calls: [
    async (sql, [lease]) => {
      if (lease) await settle(sql, lease, ["a", "b", "a", "b"]);
    },
    (sql) =>
      (sql as postgres.Sql).begin(async (transaction) => {
        // As by default: a settle call gives its wait up long before.
        await transaction`set local deadlock_timeout = '1s'`;
        await transaction`select public.messenger_dispatch('Child', dedupe_key => 'b')`;
        await transaction`select public.messenger_cancel(type => 'T')`;
      }),
  ],
});
