/** Calls that meet the same messages in opposite orders: all lock in one order, and none is a deadlock's victim. */

import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { type Call, type Lease, Racetrack } from "../support/racing.ts";

const ROUNDS = 30;
const MESSAGES = 24;

/** Messages of two claims that take turns, so that no order of tokens is the order of ids. */
async function claimed(sql: postgres.Sql): Promise<Lease[]> {
  await sql`truncate public.messenger_messages, messenger.leases,
    public.messenger_failed_messages`;
  await sql`insert into public.messenger_messages (type, payload)
    select 'T', '{}' from generate_series(1, ${MESSAGES})`;
  const leases: Lease[] = [];
  for (const token of [crypto.randomUUID(), crypto.randomUUID()]) {
    const rows = await sql<{ id: string }[]>`
      update public.messenger_messages m
      set status = 'processing', lease_token = ${token}, leased_until = now() + interval '1 minute'
      where status = 'pending' and (id % 2 = 0 or ${leases.length === 1}) returning id::text`;
    leases.push({ token, ids: rows.map(({ id }) => id) });
  }
  return leases;
}

/** Every kind of outcome under each token, the last ids first. */
function mixedSettlements(leases: readonly Lease[]) {
  return leases.toReversed().map(({ token, ids }) => {
    const [a = "", b = "", c = "", ...others] = ids.toReversed();
    return {
      token,
      handled: others,
      dead: [{ id: a, reason: "exhausted", errors: [] }],
      retries: [{ id: b, delay_ms: 0, retry_count: 1, errors: [] }],
      released: [c],
    };
  });
}

const settleMixed: Call = (sql, leases) =>
  sql`select public.messenger_settle(${sql.json(mixedSettlements(leases))})`;
const settleHandled: Call = (sql, leases) =>
  sql`select public.messenger_settle(${
    sql.json(leases.map(({ token, ids }) => ({ token, handled: ids.toReversed() })))
  })`;
const settleOne: Call = (sql, [lease]) =>
  sql`select public.messenger_settle(${
    sql.json([{ token: lease?.token ?? "", handled: lease?.ids.toReversed() ?? [] }])
  })`;
const heartbeat: Call = (sql, leases) =>
  sql`select public.messenger_heartbeat(${
    sql.json(leases.map(({ token, ids }) => ({ token, ids: ids.toReversed() })))
  })`;
/** Statements of a user's own SQL that keep the order. */
const lockAscending: Call = (sql) =>
  sql`with locked as materialized (
      select id from public.messenger_messages order by id for update
    )
    update public.messenger_messages m set priority = 1 from locked l where m.id = l.id`;
const saveSteps: Call = (sql, leases) => {
  const steps = [{ handler: "h", name: "s", status: "done", result: 1 }];
  const saves = leases.flatMap(({ token, ids }) => ids.map((id) => ({ id, token, steps })));
  return sql`select public.messenger_save_steps(${sql.json(saves.toReversed())})`;
};
const cancel: Call = (sql) => sql`select public.messenger_cancel(type => 'T')`;

const PAIRS: readonly [name: string, calls: readonly Call[]][] = [
  ["a settle call of all outcomes and a heartbeat", [settleMixed, heartbeat]],
  ["a settle call of two claims and a heartbeat", [settleHandled, heartbeat]],
  ["a settle call of two claims and one of all outcomes", [settleHandled, settleMixed]],
  ["two settle calls of all outcomes", [settleMixed, settleMixed, settleOne]],
  ["a settle call and an update that locks in order", [settleMixed, lockAscending, heartbeat]],
  ["a settle call of two claims and an update that locks in order", [settleHandled, lockAscending]],
  ["a cancel, a settle call and a heartbeat", [cancel, settleMixed, heartbeat]],
  ["a call that saves steps, a settle call and a cancel", [saveSteps, settleMixed, cancel]],
];

const track = new Racetrack(3);

for (const [name, calls] of PAIRS) {
  track.test(`${name} never stand in each other's way for ever`, {
    rounds: ROUNDS,
    prepare: claimed,
    calls,
  });
}

track.testOnce(
  "a heartbeat does not wait for what is locked, and does not call it lost",
  async () => {
    const leases = await claimed(track.sql);
    await track.lane(0).begin(async (sql) => {
      await sql`select from public.messenger_messages order by id desc for update`;
      const [row] = await track.lane(1).begin(async (sql) => {
        await sql`set local lock_timeout = '1s'`;
        return await heartbeat(sql, leases) as { messenger_heartbeat: unknown }[];
      });
      assertEquals(row?.messenger_heartbeat, { lost: [], cancelled: [] });
    });
  },
);
