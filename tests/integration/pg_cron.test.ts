/**
 * The minute: pg_cron calls messenger_tick(), which posts through pg_net; nothing else is running, and
 * dispatches wake no tick.
 */

import { assertEquals } from "@std/assert";
import { eventually, startTestStack, type TestStack } from "../support/stack.ts";

const binDir = Deno.env.get("SYMPHONY_TEST_POSTGRES") ?? "";
const hasRealCron = await Deno.stat(`${binDir}/../lib/pg_cron.so`).then(() => true, () => false);

Deno.test("the stand-in for pg_cron ticks, and a message is handled with nothing else running", async () => {
  const stack = await startTestStack({ cron: true, net: true });
  try {
    // Every second instead of every minute; hosted pg_cron takes it as well.
    await stack.sql`
      select cron.schedule('symphony-tick', '1 seconds', 'select public.messenger_tick()')`;
    await stack.sql`alter table public.messenger_messages disable trigger messenger_messages_wake`;
    await stack.dispatch({ type: "Note", payload: { text: "by the clock" } });
    const [effect] = await eventually(() => stack.effects(), (effects) => effects.length > 0);
    assertEquals(effect?.payload, { text: "by the clock" });
    await succeeded(stack);
  } finally {
    await stack.stop();
  }
});

Deno.test({
  name: hasRealCron
    ? "the real pg_cron ticks every minute, and a message is handled with nothing else running"
    : "the real pg_cron: left out, for SYMPHONY_TEST_POSTGRES names no Postgres that has it",
  ignore: !hasRealCron,
  fn: async () => {
    const stack = await startTestStack({
      postgres: { binDir, realCron: true },
      migrate: true,
      net: true,
    });
    try {
      await stack
        .sql`alter table public.messenger_messages disable trigger messenger_messages_wake`;
      await stack.dispatch({ type: "Note", payload: { text: "by the minute" } });
      // Three minutes: a tick may be lost on its way, and the next one makes up for it.
      const [effect] = await eventually(
        async () => {
          // pg_cron does not know jobs that are made in the moment in which it reads them, until one changes.
          // None is changed here around the minute, when pg_cron starts them.
          const [{ idle }] = await stack.sql<[{ idle: boolean }]>`
            select extract(second from now()) between 3 and 55
              and not exists (select from cron.job_run_details) as idle`;
          if (idle) await stack.sql`select cron.alter_job(jobid, active => true) from cron.job`;
          return await stack.effects();
        },
        (rows) => rows.length > 0,
        190_000,
      )
        .catch(async (error) => {
          throw new Error(`${error.message}; ${await wayOfTicks(stack)}`);
        });
      assertEquals(effect?.payload, { text: "by the minute" });
      assertEquals((await succeeded(stack)).includes("messenger_tick"), true);
    } finally {
      await stack.stop();
    }
  },
});

/** Waits for a run of the tick's job that has succeeded, which pg_cron notes after the commit. Its command. */
async function succeeded(stack: TestStack): Promise<string> {
  const [run] = await eventually(
    () =>
      stack.sql<{ command: string }[]>`
        select d.command from cron.job_run_details d join cron.job j using (jobid)
        where j.jobname = 'symphony-tick' and d.status = 'succeeded'`,
    (runs) => runs.length > 0,
  );
  return run?.command ?? "";
}

/** How far the ticks have come: what pg_cron ran, what pg_net was answered, and which ticks there were. */
async function wayOfTicks({ sql }: TestStack): Promise<string> {
  const way = await sql`
    select
      (select json_agg(d) from cron.job_run_details d) as runs,
      (select json_agg(json_build_array(r.created, r.status_code, r.timed_out, r.error_msg))
        from net._http_response r) as responses,
      (select json_agg(t) from public.messenger_ticks t) as ticks`;
  return JSON.stringify(way);
}
