/**
 * Parts are killed at random moments while everything happens at once: groups, retries, snoozes, batches,
 * schedules, cancels, redrives. Each message ends handled, cancelled or dead, and groups keep their order.
 */

import { assert, assertEquals } from "@std/assert";
import { tickEvery } from "../support/drain.ts";
import { chooseSeed, randomFrom } from "../support/random.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const KILLS = 12;
const RUNS = 8;
const GROUPS = 20;
const GROUP_SIZE = 10;

/** Writes messages of every kind in one statement each; returns all ids. */
async function seed(stack: TestStack): Promise<string[]> {
  const rows = await stack.sql<{ id: string }[]>`
    with plain as (
      select 'Note' as type, jsonb_build_object('text', n::text) as payload, null as group_key
      from generate_series(1, 1500) n
    ), grouped as (
      select 'Note', jsonb_build_object('text', n::text), 'group ' || n % ${GROUPS}
      from generate_series(1, ${GROUPS * GROUP_SIZE}) n
    ), shaky as (
      select 'Wobbly', jsonb_build_object('failures', n % 3, 'snoozes', n % 2), null
      from generate_series(1, 200) n
    ), dying as (
      select 'Wobbly', '{"failures": 100, "snoozes": 0}'::jsonb, null from generate_series(1, 20)
    ), together as (
      select 'Together', jsonb_build_object('n', n), null from generate_series(1, 200) n
    )
    insert into public.messenger_messages (type, payload, group_key)
    select * from plain union all select * from grouped union all select * from shaky
    union all select * from dying union all select * from together
    returning id::text`;
  return rows.map(({ id }) => id);
}

/** Kills and operators' actions that may happen at a random moment. */
function disturbances(stack: TestStack): (() => Promise<unknown>)[] {
  return [
    () => stack.killFunction("tick").catch(() => {}),
    () => stack.restartPostgrest(),
    () => stack.restartPostgres("immediate"),
    () => stack.sql`truncate net.http_request_queue`,
    () => stack.sql`select public.messenger_redrive(type => 'Wobbly')`,
    () =>
      stack.sql`select public.messenger_cancel(ids => array(
        select id from public.messenger_messages order by random() limit 3))`,
    () =>
      stack.sql`update public.messenger_messages set available_at = now()
        where status = 'pending' and available_at > now()`,
  ];
}

testsOnStack({
  postgres: "embedded",
  durable: true,
  net: true,
  cron: true,
  env: {
    SYMPHONY_WORKER_LEASE_MS: "3000",
    SYMPHONY_TICK_BUDGET_MS: "4000",
    SYMPHONY_WORKER_BATCH_SIZE: "50",
  },
}, (test) => {
  test("killed at random moments through everything at once, no message is lost and no order broken", async (stack) => {
    const chosen = chooseSeed();
    const random = randomFrom(chosen);
    const about = `SYMPHONY_TEST_SEED=${chosen}`;
    await tickEvery(stack, 1);
    const [schedule] = await stack.sql<[{ id: string }]>`
      select public.messenger_schedule_interval('Note', '{"text": "scheduled"}',
        every => interval '1 second', max_runs => ${RUNS}, catch_up => 'all') as id`;
    const ids = await seed(stack);

    for (let kill = 0; kill < KILLS; kill++) {
      // A moment is a number of handlers' runs more, or the end.
      const [before] = await stack.sql`select count(*)::int as n from public.test_effects`;
      const more = Math.ceil(random() * 250);
      await eventually(
        async () => {
          const [now] = await stack.sql`
          select (select count(*)::int from public.test_effects) as n,
            (select count(*)::int from public.messenger_messages) as waiting`;
          return now;
        },
        (now) => now?.n >= before?.n + more || now?.waiting === 0,
        60_000,
      );
      const all = disturbances(stack);
      // One that meets the restart of another may fail, as an operator's call would.
      await all[Math.floor(random() * all.length)]?.().catch(() => {});
    }
    // Those that waited for a retry that a restart has put off come too.
    await eventually(
      async () => {
        const [left] = await stack.sql`
        select (select count(*)::int from public.messenger_messages) as waiting,
          (select run_count from public.messenger_schedules where id = ${schedule.id}) as runs`;
        return left;
      },
      (left) => left?.waiting === 0 && Number(left?.runs) === RUNS,
      120_000,
    );

    const effects = await stack.effects();
    const letters = await stack.sql<{ id: string; reason: string }[]>`
      select id::text, reason from public.messenger_failed_messages`;
    const known = new Set([
      ...effects.map(({ message_id }) => message_id),
      ...letters.map(({ id }) => id),
    ]);
    assertEquals(ids.filter((id) => !known.has(id)), [], about);

    // The runs of a schedule: each occurrence once.
    const runs = await stack.sql`
      select count(*)::int as n, count(distinct occurrence)::int as different
      from public.messenger_schedule_runs where schedule_id = ${schedule.id}`;
    assertEquals({ ...runs[0] }, { n: RUNS, different: RUNS }, about);

    // A message of a group starts for the first time after those before it have.
    const starts = await stack.sql<{ group: number; ids: string[] }[]>`
      select (payload ->> 'text')::int % ${GROUPS} as group,
        array_agg(message_id::text order by first) as ids
      from (
        select message_id, min(id) as first, min(payload::text)::jsonb as payload
        from public.test_effects
        where type = 'Note' and message_id = any (${ids.slice(1500, 1500 + GROUPS * GROUP_SIZE)})
        group by 1
      ) as started
      group by 1`;
    assert(starts.length > 0);
    for (const { group, ids } of starts) {
      assertEquals(ids, ids.toSorted((a, b) => Number(a) - Number(b)), `group ${group}, ${about}`);
    }
    const reasons = new Set(letters.map(({ reason }) => reason));
    assertEquals(
      [...reasons].filter((reason) => !["exhausted", "cancelled"].includes(reason)),
      [],
      about,
    );

    // Nothing stays behind that names a message.
    const [behind] = await stack.sql`
      select (select count(*)::int from messenger.groups_to_reopen) as groups,
        (select count(*)::int from messenger.progress) as progress`;
    assertEquals({ ...behind }, { groups: 0, progress: 0 }, about);
  });
});
