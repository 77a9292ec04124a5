/** Parts of the project go down during a drain. The work continues without help other than cron's. */

import { assert, assertEquals } from "@std/assert";
import { backlog, drained, fates, ran, tickEvery } from "../support/drain.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const MESSAGES = 3_000;

/** Drains a backlog through an outage in the middle. Returns the costs. */
async function drainThrough(stack: TestStack, outage: () => Promise<void>) {
  await tickEvery(stack, 1);
  const ids = await backlog(stack, MESSAGES);
  await ran(stack, MESSAGES / 3);
  await outage();
  await drained(stack);
  return await fates(stack, ids);
}

/** Waits until pg_cron has called the tick a number of times more. */
async function passMinutes(stack: TestStack, minutes: number): Promise<void> {
  const calls = async () => {
    const [row] = await stack.sql`
      select count(*)::int as n from cron.job_run_details
      where command like '%messenger_tick%' and status = 'succeeded'`;
    return row?.n;
  };
  const before = await calls();
  await eventually(calls, (now) => now >= before + minutes);
}

/**
 * No request reaches pg_net's queue, nor stays there, until the work is done. Each change takes its
 * strongest lock first: one that is raised later can wait for pg_net, which waits for the weaker one.
 */
async function losing(stack: TestStack, work: () => Promise<void>): Promise<void> {
  await stack.sql.unsafe(`
    lock table net.http_request_queue in access exclusive mode;
    create function public.test_lose() returns trigger language plpgsql as 'begin return null; end';
    create trigger test_lose before insert on net.http_request_queue
      for each row execute function public.test_lose();
    truncate net.http_request_queue;
  `).simple();
  try {
    await work();
  } finally {
    await stack.sql.unsafe(`
      lock table net.http_request_queue in access exclusive mode;
      drop trigger test_lose on net.http_request_queue;
      drop function public.test_lose();
    `).simple();
  }
}

testsOnStack({
  postgres: "embedded",
  durable: true,
  net: true,
  cron: true,
  env: {
    SYMPHONY_WORKER_LEASE_MS: "3000",
    SYMPHONY_TICK_BUDGET_MS: "5000",
    SYMPHONY_WORKER_BATCH_SIZE: "50",
  },
}, (test) => {
  for (const mode of ["fast", "immediate"] as const) {
    test(`a drain continues by itself after a restart of Postgres (${mode})`, async (stack) => {
      const { lost } = await drainThrough(stack, () => stack.restartPostgres(mode));
      assertEquals(lost, []);
    });
  }

  test("a drain continues by itself after a restart of PostgREST", async (stack) => {
    const { lost } = await drainThrough(stack, () => stack.restartPostgrest());
    assertEquals(lost, []);
  });

  test("a drain continues by itself after everything goes down at once", async (stack) => {
    const { lost } = await drainThrough(stack, async () => {
      await Promise.all([
        stack.killFunction("tick"),
        stack.restartPostgres("immediate"),
        stack.restartPostgrest(),
      ]);
    });
    assertEquals(lost, []);
  });

  test("a drain stands still while pg_net loses every request, and continues with the first that arrives", async (stack) => {
    const { lost } = await drainThrough(stack, async () => {
      await losing(stack, async () => {
        // By then what had left the queue before has arrived.
        await passMinutes(stack, 1);
        await stack.killFunction("tick");
        await passMinutes(stack, 2);
        assertEquals(stack.functionPid("tick"), undefined);
      });
    });
    assertEquals(lost, []);
  });

  test("a wake-up that pg_net loses is made up for by the next tick", async (stack) => {
    await tickEvery(stack, 1);
    // With an older snapshot, a dispatch counts on no tick that runs.
    const asked = await stack.sql.begin("isolation level repeatable read", async (sql) => {
      await sql`select public.messenger_dispatch('Note', '{"text":"x"}')`;
      await sql`truncate net.http_request_queue`;
      const [tick] = await sql`
        select max(id) as id from public.messenger_ticks where started_at is null`;
      return tick?.id;
    });
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    const [lost] = await stack.sql`
      select started_at from public.messenger_ticks where id = ${asked}`;
    assertEquals(lost?.started_at, null);
    assert(lost);
  });
});
