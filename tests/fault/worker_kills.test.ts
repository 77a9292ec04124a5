/** Resident workers end at random moments of everything at once: what is lost, what runs twice, what it costs. */

import { assertEquals } from "@std/assert";
import { chooseSeed, randomFrom } from "../support/random.ts";
import { HEAVY_MESSAGES, LEASE_MS, startAlone } from "../support/resident.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const GROUPS = 5;
/** Handlers' runs between the starts of a worker and its end, at most. */
const MOST_RUNS = 25;

/** How a worker is ended: killed, asked with time for its handlers, or asked without. */
const ENDS = [
  { signal: "SIGKILL", graceMs: 60_000 },
  { signal: "SIGTERM", graceMs: 60_000 },
  { signal: "SIGTERM", graceMs: 0 },
] as const;

/** Writes plain messages, grouped ones, such that are retried and such that run in batches. Returns the ids. */
async function write(stack: TestStack): Promise<string[]> {
  const rows = await stack.sql<{ id: string }[]>`
    with plain as (
      select 'Wait' as type, '{"ms": 20}'::jsonb as payload, null as group_key
      from generate_series(1, 40)
    ), grouped as (
      select 'Wait', '{"ms": 5}'::jsonb, 'group ' || n % ${GROUPS} from generate_series(1, 20) n
    ), retried as (
      select 'Flaky', jsonb_build_object('failures', n % 3), null from generate_series(1, 15) n
    ), together as (
      select 'Together', jsonb_build_object('n', n), null from generate_series(1, 20) n
    )
    insert into public.messenger_messages (type, payload, group_key, queue)
    select w.*, 'heavy' from (
      select * from plain union all select * from grouped union all select * from retried
      union all select * from together
    ) as w
    returning id::text`;
  return rows.map(({ id }) => id);
}

const runs = async (stack: TestStack) => (await stack.effects()).length;

/** The messages that are leased, by the latest worker or by one before: a call that was under way at a kill may claim. */
async function leased(stack: TestStack) {
  const rows = await stack.sql<{ id: string; latest: boolean }[]>`
    select id::text, leased_until - ${LEASE_MS} * interval '1 millisecond' > (
      select max(started_at) from public.messenger_ticks where worker is not null
    ) as latest
    from public.messenger_messages where status = 'processing'`;
  const idsOf = (isLatest: boolean) =>
    rows.filter(({ latest }) => latest === isLatest).map(({ id }) => id);
  return { latest: idsOf(true), before: idsOf(false) };
}

/** Ids of messages that wait after a run which neither succeeded nor failed. */
async function givenBack(stack: TestStack): Promise<string[]> {
  const rows = await stack.sql<{ id: string }[]>`
    select m.id::text from public.messenger_messages m
    join public.test_effects e on e.message_id = m.id
    where m.status = 'pending'
    group by m.id having count(*) > m.retry_count`;
  return rows.map(({ id }) => id);
}

testsOnStack({ messages: HEAVY_MESSAGES }, (test) => {
  test("workers that end at random moments lose nothing, and run twice only what was in flight or given back", async (stack) => {
    const seed = chooseSeed();
    const random = randomFrom(seed);
    const about = `SYMPHONY_TEST_SEED=${seed}`;
    const ids = await write(stack);
    const inFlight = new Set<string>();
    const returned = new Set<string>();
    const ends = [...ENDS, ENDS[0]].map((end) => ({ end, at: random() }))
      .sort((a, b) => a.at - b.at);
    for (const { end: { signal, graceMs } } of ends) {
      const worker = await startAlone(stack, graceMs);
      const until = await runs(stack) + Math.ceil(random() * MOST_RUNS);
      await eventually(
        async () => await runs(stack) >= until || await stack.count() === 0,
        (isOver) => isOver,
      );
      worker.kill(signal);
      const { code } = await worker.status;
      const { latest, before } = await leased(stack);
      for (const id of before) inFlight.add(id);
      if (signal === "SIGKILL") { for (const id of latest) inFlight.add(id); }
      else {
        assertEquals(code, 0, about);
        assertEquals(latest, [], `all is given back, ${about}`);
        const back = await givenBack(stack);
        if (graceMs === 0) { for (const id of back) returned.add(id); }
        const known = (id: string) => inFlight.has(id) || returned.has(id);
        assertEquals(back.filter((id) => !known(id)), [], `handlers had their time, ${about}`);
      }
    }
    const last = await startAlone(stack, 0);
    // Ticks sweep for leases that ran out, and leave the messages to the worker.
    await eventually(
      async () => {
        await stack.tick();
        return await stack.count();
      },
      (count) => count === 0,
      60_000,
    );
    last.kill("SIGTERM");
    assertEquals((await last.status).code, 0);

    const dead = await stack.sql`select type, reason from public.messenger_failed_messages`;
    assertEquals(dead.map((row) => ({ ...row })), [], about);
    const counts = new Map<string, number>();
    const expected = new Map<string, number>();
    const effects = await stack.effects();
    for (const { message_id: id, payload } of effects) {
      counts.set(id, (counts.get(id) ?? 0) + 1);
      expected.set(id, 1 + Number(payload.failures ?? 0));
    }
    assertEquals(ids.filter((id) => (counts.get(id) ?? 0) < (expected.get(id) ?? 1)), [], about);
    const doubled = ids.filter((id) => (counts.get(id) ?? 0) > (expected.get(id) ?? 1));
    assertEquals(doubled.filter((id) => !inFlight.has(id) && !returned.has(id)), [], about);

    // A message of a group starts for the first time after those before it have.
    const grouped = ids.slice(40, 60);
    const started = [...new Set(effects.map(({ message_id }) => message_id))];
    for (let group = 0; group < GROUPS; group++) {
      const own = grouped.filter((_, index) => (index + 1) % GROUPS === group);
      assertEquals(started.filter((id) => own.includes(id)), own, `group ${group}, ${about}`);
    }
  });
});
