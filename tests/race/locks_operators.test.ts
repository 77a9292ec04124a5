/** Operators' actions race with workers on the same messages and groups: no action is a deadlock's victim. */

import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { type Call, type Lease, Racetrack } from "../support/racing.ts";

const ROUNDS = 20;
const MESSAGES = 48;
const GROUPS = 6;

/** Groups of two queues, of which some messages run, and dead letters of the same groups. */
async function claimed(sql: postgres.Sql): Promise<Lease[]> {
  await sql`truncate public.messenger_messages, messenger.leases, public.messenger_queues,
    public.messenger_failed_messages, messenger.groups_to_reopen`;
  await sql`insert into public.messenger_queues (name, created_at, group_concurrency)
    select name, timestamptz '2020-01-01', 2 from unnest(array['default', 'other']) as name
    union all select 'empty' || n, '2020-01-01', 1 from generate_series(1, 20) n`;
  await sql`insert into public.messenger_messages (type, payload, group_key, queue, available_at)
    select 'T', '{}', 'g' || n % ${GROUPS}, (array['default', 'other'])[1 + n % 2],
      now() + n % 3 / 2 * interval '1 hour'
    from generate_series(1, ${MESSAGES}) n order by n % 5`;
  await sql`insert into public.messenger_failed_messages
      (id, type, payload, queue, group_key, reason, failed_at, created_at)
    select 1000000 - n, 'T', '{}', 'default', 'g' || n % ${GROUPS}, 'exhausted',
      now() - interval '1 hour', now() from generate_series(1, 24) n`;
  for (let n = 0; n < 2; n++) await claim(sql, []);
  return [
    ...await sql<Lease[]>`
      select lease_token as token, array_agg(id::text order by id desc) as ids
      from public.messenger_messages where lease_token is not null group by 1`,
  ];
}

const claim: Call = (sql) =>
  sql`select public.messenger_claim(gen_random_uuid(), max_messages => 8)`;
const heartbeat: Call = (sql, leases) =>
  sql`select public.messenger_heartbeat(${sql.json(leases.map((lease) => ({ ...lease })))})`;
/** Every kind of outcome under each token, the last ids first. */
const settle: Call = (sql, leases) =>
  sql`select public.messenger_settle(${
    sql.json(
      leases.map(({ token, ids: [a, b, c, ...handled] }) => ({
        ...{ token, handled, grouped: true },
        ...(a && { dead: [{ id: a, reason: "exhausted", errors: [] }] }),
        ...(b && { retries: [{ id: b, delay_ms: 0, retry_count: 1, errors: [] }] }),
        ...(c && { released: [c] }),
      })),
    )
  })`;

/** Statements of a user's own SQL that keep the order. */
const deleteByHand = (rest: number): Call => (sql) =>
  sql`with locked as materialized (
      select id from public.messenger_messages where id % 2 = ${rest} order by id for update
    )
    delete from public.messenger_messages m using locked l where m.id = l.id`;

const OPERATORS: readonly [name: string, calls: readonly Call[]][] = [
  ["redrives", [
    (sql) => sql`select public.messenger_redrive("all" => true)`,
    (sql) => sql`select public.messenger_redrive(type => 'T', max_messages => 12)`,
  ]],
  ["a run and a cancel", [
    (sql) => sql`select public.messenger_run("all" => true)`,
    (sql) => sql`select public.messenger_cancel(queue => 'other')`,
  ]],
  ["a prune, a removal and a redrive", [
    (sql) => sql`select public.messenger_prune(failed_older_than => '0')`,
    (sql) => sql`select public.messenger_remove_failed(type => 'T', max_messages => 12)`,
    (sql) => sql`select public.messenger_redrive("all" => true)`,
  ]],
  ["queues that are tidied, widened and paused", [
    (sql) => sql`select public.messenger_tidy_queues(empty_older_than => '0')`,
    (sql) =>
      sql`update public.messenger_queues q set group_concurrency = group_concurrency + 1
        where name in ('default', 'other')`,
    (sql) => sql`update public.messenger_queues set paused = true where name = 'empty1'`,
  ]],
  ["deletes in SQL, and a cancel", [
    deleteByHand(0),
    deleteByHand(1),
    (sql) => sql`select public.messenger_cancel(queue => 'default')`,
  ]],
  ["messages that SQL moves to other groups", [
    (sql) =>
      sql`with locked as materialized (
          select id from public.messenger_messages where status = 'pending' order by id for update
        )
        update public.messenger_messages m set group_key = 'g' || (m.id + 1) % ${GROUPS}::integer
        from locked l where m.id = l.id`,
  ]],
];

const track = new Racetrack(6);

for (const [name, operators] of OPERATORS) {
  track.test(`${name} and workers never stand in each other's way for ever`, {
    rounds: ROUNDS,
    prepare: claimed,
    calls: [settle, claim, heartbeat, ...operators],
  });
}

track.testOnce(
  "the next of a group starts though the group was locked while SQL deleted the one before it",
  async () => {
    const { sql } = track;
    await claimed(sql);
    await sql`truncate public.messenger_messages, messenger.leases`;
    const [first, second] = await sql`
      insert into public.messenger_messages (type, payload, group_key, blocked)
      values ('T', '{}', 'g', false), ('T', '{}', 'g', true), ('T', '{}', 'g', true) returning id`;
    await track.lane(0).begin(async (holding) => {
      await holding`select * from messenger.lock_groups(array[${second?.id}::bigint])`;
      await track.lane(1)`delete from public.messenger_messages where id = ${first?.id}`;
    });
    await sql`update public.messenger_queues set group_concurrency = 1`;
    await claim(sql, []);
    const running = await sql`
      select id from public.messenger_messages where status = 'processing'`;
    assertEquals(running.map(({ id }) => id), [second?.id]);
    assertEquals(
      await sql`select from messenger.groups_to_reopen`.then(({ length }) => length),
      0,
    );
  },
);
