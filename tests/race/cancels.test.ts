/** Cancels of messages that another session has locked, as a SQL function that runs for long does. */

import { assertEquals } from "@std/assert";
import { Racetrack } from "../support/racing.ts";
import { eventually } from "../support/stack.ts";

const track = new Racetrack(2);

interface Step {
  readonly done: number;
  readonly running: number;
  readonly next: unknown;
}

/** Writes messages of these types, the first of which another session locks until `free` is called. */
async function lockFirst(types: readonly string[]) {
  await track.sql`truncate public.messenger_messages, public.messenger_failed_messages,
    messenger.leases, messenger.cancel_notes`;
  for (const type of types) await track.sql`select public.messenger_dispatch(${type}, '{}')`;
  const lane = track.lane(0);
  await lane`begin`;
  await lane`select from public.messenger_messages where type = ${
    types[0] ?? ""
  } for no key update`;
  return { free: () => lane`rollback` };
}

async function cancelAll(): Promise<Step> {
  const [row] = await track.sql<
    [{ step: Step }]
  >`select public.messenger_cancel("all" => true) as step`;
  return row.step;
}

const sweep = () => track.sql`select public.messenger_claim(gen_random_uuid(), 0)`;
const dead = async () =>
  (await track.sql<{ type: string; reason: string }[]>`
    select type, reason from public.messenger_failed_messages order by type`)
    .map(({ type, reason }) => `${type} ${reason}`);

track.testOnce(
  "a cancel passes over what is locked, and a sweep cancels it once it is free",
  async () => {
    const { free } = await lockFirst(["Locked", "A", "B"]);
    const { done, running, next } = await cancelAll();
    assertEquals({ done, running, next }, { done: 2, running: 1, next: null });
    assertEquals(await dead(), ["A cancelled", "B cancelled"]);
    await sweep();
    assertEquals((await dead()).length, 2);
    await free();
    await sweep();
    assertEquals(await dead(), ["A cancelled", "B cancelled", "Locked cancelled"]);
    assertEquals((await track.sql`select from messenger.cancel_notes`).length, 0);
  },
);

track.testOnce("two cancels of one locked message do not wait for each other", async () => {
  const { free } = await lockFirst(["Locked"]);
  const other = track.lane(1);
  await other`begin`;
  await other`select public.messenger_cancel("all" => true)`;
  const { done, running } = await cancelAll();
  assertEquals({ done, running }, { done: 0, running: 1 });
  await other`commit`;
  await free();
  await sweep();
  assertEquals(await dead(), ["Locked cancelled"]);
  assertEquals((await track.sql`select from messenger.cancel_notes`).length, 0);
});

track.testOnce("a repeated cancel does not count messages that are gone", async () => {
  const { free } = await lockFirst(["Locked"]);
  const [message] = await track.sql`select id::text from public.messenger_messages`;
  await cancelAll();
  await free();
  await track.sql`delete from public.messenger_messages`;
  const [row] = await track.sql<[{ step: Step }]>`
    select public.messenger_cancel(ids => array[${message?.id}]::bigint[]) as step`;
  assertEquals(row.step.running, 0);
});

track.testOnce(
  "a sweep cancels what is noted beside a group that another session holds",
  async () => {
    const { free } = await lockFirst(["Locked"]);
    await track.sql`select public.messenger_dispatch('Grouped', '{}', group_key => 'g')`;
    await track.sql`insert into messenger.cancel_notes (message_id)
    select id from public.messenger_messages where type = 'Grouped'`;
    await cancelAll();
    await track.sql`select public.messenger_dispatch('Grouped', '{}', group_key => 'g')`;
    await track.sql`insert into messenger.cancel_notes (message_id)
    select id from public.messenger_messages where type = 'Grouped'`;
    await free();
    const other = track.lane(1);
    await other`begin`;
    await other`select messenger.take_group_locks('{default}', '{g}')`;
    await sweep();
    assertEquals(await dead(), ["Grouped cancelled", "Locked cancelled"]);
    await other`rollback`;
    await sweep();
    assertEquals(await dead(), ["Grouped cancelled", "Grouped cancelled", "Locked cancelled"]);
  },
);

track.testOnce("a user's cancel of a locked message says that it is being cancelled", async () => {
  const { free } = await lockFirst(["Locked"]);
  const [row] = await track.sql<[{ state: { cancelling: boolean } }]>`
    select public.messenger_cancel_message(id) as state from public.messenger_messages`;
  assertEquals(row.state.cancelling, true);
  await free();
});

track.testOnce("a batch's cancel ends beside a member that is locked", async () => {
  await track
    .sql`truncate public.messenger_messages, public.messenger_failed_messages, messenger.cancel_notes`;
  const [{ id }] = await track.sql<[{ id: string }]>`
    select public.messenger_dispatch_batch('[{"type":"Locked"},{"type":"A"}]', 'b')::text as id`;
  const lane = track.lane(0);
  await lane`begin`;
  await lane`select from public.messenger_messages where type = 'Locked' for no key update`;
  const [{ step }] = await track.sql<
    [{ step: Step }]
  >`select public.messenger_cancel_batch(${id}) as step`;
  assertEquals([step.done, step.running, step.next], [1, 1, null]);
  await lane`rollback`;
  await sweep();
  await track.sql`select public.messenger_fold_batches(${[id]})`;
  const [batch] = await track.sql`
    select failed::integer, finished_at is not null as is_over from public.messenger_batches where id = ${id}`;
  assertEquals({ ...batch }, { failed: 2, is_over: true });
});

track.testOnce(
  "a function at its end sees the cancel that has passed its message over",
  async () => {
    await track
      .sql`truncate public.messenger_messages, public.messenger_failed_messages, messenger.cancel_notes`;
    await track.sql.unsafe(`create or replace function public.test_held() returns text language sql
    as $$select pg_advisory_xact_lock(38); select 'held'$$`);
    await track.sql`select public.messenger_dispatch('Runs', '{}')`;
    const [{ token, id }] = await track.sql<[{ token: string; id: string }]>`
    select t.token::text, m.id::text from gen_random_uuid() as t (token), public.messenger_messages m`;
    await track.sql`select public.messenger_claim(${token})`;
    const lane = track.lane(0);
    await lane`select pg_advisory_lock(38)`;
    const effect = track.lane(1)<
      [{ answer: object }]
    >`select public.messenger_effect(${id}, ${token}, 'null',
    '{"handler":"Runs","name":"held","key":"","nth":1}', 'test_held') as answer`;
    const running = effect.then(([{ answer }]) => answer);
    await eventually(
      () => track.sql`select from pg_locks where locktype = 'advisory' and not granted`,
      (waiting) => waiting.length > 0,
    );
    const { done, running: stopping } = await cancelAll();
    assertEquals([done, stopping], [0, 1]);
    await lane`select pg_advisory_unlock(38)`;
    assertEquals(await running, { result: "held", cancelled: true });
    const [message] = await track.sql`select cancelled from public.messenger_messages`;
    assertEquals(message?.cancelled, true);
    // The result is stored, and the worker gives the message back.
    await track.sql`select public.messenger_settle(${
      track.sql.json([{ token, parked: [{ id, delay_ms: 1_000 }] }])
    })`;
    assertEquals(await dead(), ["Runs cancelled"]);
    assertEquals((await track.sql`select from messenger.cancel_notes`).length, 0);
  },
);
