/** Members of one batch end at once: the batch is counted exactly, and its end is told once. */

import { assertEquals } from "@std/assert";
import type postgres from "postgres";
import { type Call, type Lease, Racetrack } from "../support/racing.ts";

const MEMBERS = 4;
const track = new Racetrack(MEMBERS);

/** A batch whose members are each claimed by a worker of its own. */
async function claimed(sql: postgres.Sql): Promise<Lease[]> {
  await sql`truncate public.messenger_messages, messenger.leases, public.messenger_failed_messages,
    public.messenger_batches, messenger.batch_chunks, messenger.batch_deltas`;
  await sql`select public.messenger_dispatch_batch(
    (select jsonb_agg('{"type":"T"}'::jsonb) from generate_series(1, ${MEMBERS}::int)), 'race',
    '{"type":"Finished"}', '{"type":"Succeeded"}', '{"type":"Failed"}'
  )`;
  const leases: Lease[] = [];
  for (let n = 0; n < MEMBERS; n++) {
    const token = crypto.randomUUID();
    await sql`select public.messenger_claim(${token}, max_messages => 1)`;
    const [row] = await sql<{ id: string }[]>`
      select id::text from public.messenger_messages where lease_token = ${token}`;
    leases.push({ token, ids: [row?.id ?? ""] });
  }
  return leases;
}

/** Settles the nth member, and folds as its worker does, unless the worker is killed before. */
const settle =
  (nth: number, { dies = false, isKilled = false } = {}): Call => async (sql, leases) => {
    const { token, ids: [id = ""] } = leases[nth] ?? { token: "", ids: [] };
    const outcome = dies ? { dead: [{ id, reason: "exhausted" }] } : { handled: [id] };
    await sql`select public.messenger_settle(${sql.json([{ token, ...outcome }])})`;
    if (isKilled) return;
    await sql`select public.messenger_fold_batches(array(select id from public.messenger_batches))`;
  };

const told = async () =>
  (await track.sql<{ type: string }[]>`
    select type from public.messenger_messages where stamps ? 'ofBatch' order by type`)
    .map(({ type }) => type);

async function rounds(number: number, calls: readonly Call[], expected: string[]): Promise<void> {
  for (let round = 0; round < number; round++) {
    const leases = await claimed(track.sql);
    await Promise.all(calls.map((call, lane) => call(track.lane(lane), leases)));
    // The sweep of a worker that lives.
    await track.sql`select public.messenger_claim(gen_random_uuid(), max_messages => 0)`;
    assertEquals(await told(), expected);
    const [counts] = await track.sql<{ sum: string; left: string }[]>`
      select handled + failed as sum, (select count(*) from messenger.batch_deltas) as left
      from public.messenger_batches`;
    assertEquals([Number(counts?.sum), Number(counts?.left)], [MEMBERS, 0]);
  }
}

track.testOnce(
  "members that end at once are counted, and the end is told once",
  () => rounds(25, [0, 1, 2, 3].map((nth) => settle(nth)), ["Finished", "Succeeded"]),
);

track.testOnce(
  "the end is told once where all workers are killed before their folds",
  () =>
    rounds(10, [0, 1, 2, 3].map((nth) => settle(nth, { isKilled: true })), [
      "Finished",
      "Succeeded",
    ]),
);

track.testOnce("the first dead letter of several at once is told once", () =>
  rounds(
    10,
    [settle(0, { dies: true }), settle(1, { dies: true, isKilled: true }), settle(2), settle(3)],
    ["Failed", "Finished"],
  ));

track.test("a cancel of the batch races with settles, folds and sweeps, and none is a victim", {
  rounds: 15,
  prepare: claimed,
  calls: [
    settle(0),
    settle(1, { dies: true }),
    (sql) => sql`select public.messenger_cancel_batch(id) from public.messenger_batches`,
    (sql) => sql`select public.messenger_claim(gen_random_uuid(), max_messages => 0)`,
  ],
});
