/** Ticks at the same time, and ticks that die: each occurrence has its message once. */

import { assert, assertEquals } from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import { type ScheduleBench, testsOfSchedules } from "../support/schedules.ts";

const note = { type: "Note", payload: { text: "hello" } };

/** Schedules of all kinds, due on the hour. */
async function insertDue({ stack: { sql } }: ScheduleBench, count: number): Promise<void> {
  await sql`
    insert into public.messenger_schedules
      (message_type, payload, schedule_type, cron, interval_ms, timezone, next_run_at)
    select 'Count', '{"n":1}', case n % 3 when 0 then 'interval' else 'cron' end, '*/5 * * * *',
      300000, (array['UTC', 'America/New_York', 'Asia/Kathmandu'])[1 + n % 3], '2026-01-05T10:00:00Z'
    from generate_series(1, ${count}) n`;
}

/** Runs a tick's work on a connection of its own. */
async function tick(bench: ScheduleBench, batch: number): Promise<number> {
  const { url, secretKey } = bench.stack;
  const supabase = createClient(url, secretKey, { auth: { persistSession: false } });
  const scheduler = bench.scheduler({ supabase });
  let total = 0;
  for (let count = batch; count === batch;) {
    count = await scheduler.processDueMessages(batch);
    total += count;
  }
  return total;
}

testsOfSchedules("2026-01-05T10:00:00Z", (test) => {
  test("four ticks share 10,000 schedules that are due at once, and double none", async (bench) => {
    await insertDue(bench, 10_000);
    const counts = await Promise.all([1, 2, 3, 4].map(() => tick(bench, 100)));
    assertEquals(counts.reduce((sum, count) => sum + count), 10_000);
    assert(counts.every((count) => count > 0), `shared as ${counts}`);
    const [row] = await bench.stack.sql`
      select (select count(*)::int from public.messenger_messages) as messages,
        (select count(distinct stamps -> 'schedule' ->> 'id')::int
          from public.messenger_messages) as schedules,
        (select count(*)::int from public.messenger_schedule_runs) as runs,
        (select count(*)::int from public.messenger_schedules
          where run_count = 1 and lease_token is null
            and next_run_at = '2026-01-05T10:05:00Z') as advanced`;
    assertEquals({ ...row }, {
      messages: 10_000,
      schedules: 10_000,
      runs: 10_000,
      advanced: 10_000,
    });
  });

  test("ticks that run all the time while the clock advances make each occurrence once", async (bench) => {
    const scheduler = bench.scheduler();
    for (let n = 0; n < 20; n++) {
      await scheduler.schedule(note, {
        type: "interval",
        config: { interval: "1m" },
        catchUp: "all",
      });
    }
    let over = false;
    const ticks = [1, 2, 3, 4].map(async () => {
      while (!over) await scheduler.processDueMessages(7);
    });
    for (let minute = 1; minute <= 30; minute++) {
      await bench.clock.set(new Date(Date.UTC(2026, 0, 5, 10, minute, 0, 5)));
    }
    over = true;
    await Promise.all(ticks);
    while (await scheduler.processDueMessages(100) > 0);
    const made = await bench.made();
    const distinct = new Set(made.map(({ schedule, occurrence }) => `${schedule} ${occurrence}`));
    assertEquals([made.length, distinct.size], [600, 600]);
  });

  test("of concurrent changes of one schedule none is lost, whatever they change", async (bench) => {
    const scheduler = bench.scheduler();
    const options = { type: "cron", config: { cron: "0 * * * *" } } as const;
    const ids = await Promise.all(
      Array.from({ length: 50 }, () => scheduler.schedule(note, options)),
    );
    await bench.clock.set("2026-01-05T11:00:00Z");
    await Promise.all([
      ...ids.flatMap((id, n) => [
        scheduler.update(id, { maxRuns: 100 + n }),
        scheduler.update(id, { payload: { text: `text ${n}` } }),
        scheduler.update(id, { config: { cron: "30 * * * *" } }),
        scheduler.update(id, { timezone: "Asia/Kathmandu" }),
      ]),
      ...[1, 2, 3].map(() => scheduler.processDueMessages(100)),
    ]);
    while (await scheduler.processDueMessages(100) > 0);
    const lost = (await Promise.all(ids.map((id) => scheduler.get(id)))).filter((one, n) =>
      one?.maxRuns !== 100 + n || one.timezone !== "Asia/Kathmandu" ||
      JSON.stringify(one.config) !== '{"cron":"30 * * * *"}' ||
      JSON.stringify(one.message.payload) !== `{"text":"text ${n}"}` ||
      // Half past in Kathmandu, whichever change came last.
      one.nextRunAt?.toISOString() !== "2026-01-05T11:45:00.000Z"
    );
    assertEquals(lost, []);
  });

  test("a tick that dies between its two calls changes nothing, and the next takes over", async (bench) => {
    const scheduler = bench.scheduler();
    const id = await scheduler.schedule(note, { type: "cron", config: { cron: "*/5 * * * *" } });
    await bench.clock.set("2026-01-05T10:05:00Z");
    const dead = crypto.randomUUID();
    const { data } = await bench.stack.client.rpc("messenger_claim_schedules", { token: dead });
    assertEquals(data.schedules.length, 1);
    assertEquals(await scheduler.processDueMessages(), 0);

    await bench.clock.set("2026-01-05T10:06:00Z");
    assertEquals(await scheduler.processDueMessages(), 1);
    const late = await bench.stack.client.rpc("messenger_advance_schedules", {
      token: dead,
      advances: [{
        id,
        next_run_at: "2026-01-05T10:10:00Z",
        occurrences: [{ occurrence: "2026-01-05T10:05:00.000Z", delay_ms: 0 }],
      }],
    });
    assertEquals(late.data, { dispatched: 0, skipped: 0, stale: [id] });
    assertEquals((await bench.made()).length, 1);
  });

  test("a claim whose answer was lost is repeated, and gives the same schedules", async (bench) => {
    await insertDue(bench, 5);
    const token = crypto.randomUUID();
    const claim = async (repeated: boolean) => {
      const { data } = await bench.stack.client.rpc("messenger_claim_schedules", {
        token,
        max_schedules: 3,
        repeated,
      });
      return data.schedules.map(({ id }: { id: string }) => id);
    };
    const first = await claim(false);
    assertEquals([first.length, await claim(true)], [3, first]);
  });

  test("a tick whose calls break off writes all of a batch or nothing", async (bench) => {
    await insertDue(bench, 200);
    const { url, secretKey } = bench.stack;
    let calls = 0;
    const supabase = createClient(url, secretKey, {
      auth: { persistSession: false },
      global: {
        // Every second answer is lost on its way: the call has been made all the same.
        fetch: async (input, init) => {
          const response = await fetch(input, init);
          if (++calls % 2 > 0) return response;
          await response.body?.cancel();
          throw new TypeError("connection reset");
        },
      },
    });
    const scheduler = bench.scheduler({ supabase });
    for (let batch = 0; batch < 8; batch++) await scheduler.processDueMessages(50);
    const [row] = await bench.stack.sql`
      select count(*)::int as made, count(distinct stamps -> 'schedule' ->> 'id')::int as schedules
      from public.messenger_messages`;
    assertEquals({ ...row }, { made: 200, schedules: 200 });
  });
});
