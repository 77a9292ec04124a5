/** Batches with dedupe keys that meet, while the messages that hold the keys are handled. */

import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { Racetrack } from "../support/racing.ts";
import { eventually } from "../support/stack.ts";

const KEYS = 60;
const ROUNDS = 20;

const track = new Racetrack(3);

/** Dispatches these keys in one call, and returns the ids. */
async function dispatch(sql: postgres.Sql, keys: readonly string[], how: object) {
  const messages = keys.map((key) => ({ type: "T", dedupe_key: key, ...how }));
  const [row] = await sql<{ answer: { ids: string[] } }[]>`
    select public.messenger_enqueue(${sql.json(messages as never)}) as answer`;
  return row?.answer.ids ?? [];
}

/** Waits until this many sessions wait for a lock. */
const blocked = (count: number) =>
  eventually(
    async () =>
      await track.sql`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`,
    (waiting) => waiting.length >= count,
  );

/**
 * Both batches have met the holders of their keys, and wait for a last key, while all holders are handled. Then both
 * find all keys free.
 */
async function race(first: readonly string[], second: readonly string[], how: object) {
  const { sql } = track;
  await sql`truncate public.messenger_messages`;
  await sql`insert into public.messenger_messages (type, dedupe_key)
    select 'T', k from unnest(${[...new Set([...first, ...second])]}::text[]) as k`;
  const dispatched = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const holder = track.lane(2).begin(async (open) => {
    await open`insert into public.messenger_messages (type, dedupe_key) values ('T', 'z1'), ('T', 'z2')`;
    dispatched.resolve();
    await end.promise;
  });
  await dispatched.promise;
  const calls = [
    dispatch(track.lane(0), [...first, "z1"], how),
    dispatch(track.lane(1), [...second, "z2"], how),
  ];
  await blocked(2);
  await sql`delete from public.messenger_messages where dedupe_key like 'k%'`;
  end.resolve();
  await holder;
  const ids = await Promise.all(calls);
  const rows = await sql<{ id: string }[]>`select id::text from public.messenger_messages`;
  assertEquals(new Set(ids.flat()), new Set(rows.map(({ id }) => id)));
}

for (
  const [name, how] of [
    ["until they are finished", {}],
    ["that replace", { dedupe: "replace" }],
    ["that debounce", { dedupe_debounce_ms: 1_000 }],
  ] as const
) {
  track.testOnce(`batches in opposite order whose keys vanish both end: keys ${name}`, async () => {
    const keys = Array.from({ length: KEYS }, (_, index) => `k${String(index).padStart(2, "0")}`);
    for (let round = 0; round < ROUNDS; round++) await race(keys, keys.toReversed(), how);
  });

  track.testOnce(
    `batches of which one has begun with a key of the other both end: keys ${name}`,
    async () => {
      // The first batch has taken k5, which no message held; the second then takes k1 before it waits for k5.
      for (let round = 0; round < ROUNDS; round++) {
        const { sql } = track;
        await sql`truncate public.messenger_messages`;
        await sql`insert into public.messenger_messages (type, dedupe_key) values ('T', 'k1')`;
        const open = track.lane(2);
        await open`begin`;
        await open`insert into public.messenger_messages (type, dedupe_key) values ('T', 'z1')`;
        const one = dispatch(track.lane(0), ["k1", "k5", "z1"], how);
        await blocked(1);
        await sql`delete from public.messenger_messages where dedupe_key = 'k1'`;
        const two = dispatch(track.lane(1), ["k5", "k1"], how);
        await blocked(2);
        await open`commit`;
        const ids = await Promise.all([one, two]);
        const rows = await sql<{ id: string }[]>`select id::text from public.messenger_messages`;
        assertEquals(new Set(ids.flat()), new Set(rows.map(({ id }) => id)));
      }
    },
  );
}
