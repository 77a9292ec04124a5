/** The backlog, sampled by the SQL that pg_cron runs each minute: it is seen while no function runs. */

import { assertEquals, assertRejects } from "@std/assert";
import { ask } from "../support/management.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

/** Does what pg_cron does each minute. */
async function passMinute({ sql }: TestStack): Promise<void> {
  const [job] = await sql`select command from cron.job where jobname = 'symphony-tick'`;
  await sql.unsafe(job?.command);
}

async function requested({ sql }: TestStack): Promise<number> {
  return (await sql`select from messenger.tick_requests`).length;
}

testsOnStack({}, (test) => {
  test("each queue that holds messages is sampled, with no function there", async (stack) => {
    await stack.sql`insert into public.messenger_messages (type, queue, available_at) values
      ('Note', 'a', now() - interval '2 minutes'), ('Note', 'a', now() + interval '1 hour'), ('Note', 'b', now())`;
    const before = await requested(stack);
    await passMinute(stack);
    assertEquals(await requested(stack), before + 1);
    const backlog = async (query: string) => {
      const { body } = await ask(stack, "GET", `/time-series?step=1h${query}`);
      return body.points.map(({ backlog }: { backlog: Record<string, number> }) => backlog)
        .find(({ due, delayed }: Record<string, number>) => (due ?? 0) + (delayed ?? 0) > 0);
    };
    assertEquals((await backlog(""))?.due, 2);
    const { oldestReadySeconds, ...rest } = await backlog("&queue=a");
    assertEquals(rest, { due: 1, delayed: 1, blocked: 0, processing: 0 });
    assertEquals(Math.floor(oldestReadySeconds / 60), 2);
  });

  test("a minute without messages writes no sample", async (stack) => {
    await passMinute(stack);
    assertEquals((await stack.sql`select from messenger.backlog_points`).length, 0);
  });

  test("a sample that fails keeps no request from leaving, and says so in pg_cron's records", async (stack) => {
    await stack.sql`insert into public.messenger_messages (type) values ('Note')`;
    await stack.sql`alter table messenger.backlog_points rename to elsewhere`;
    const before = await requested(stack);
    await assertRejects(() => passMinute(stack), Error, "backlog_points");
    await stack.sql`alter table messenger.elsewhere rename to backlog_points`;
    assertEquals(await requested(stack), before + 1);
  });

  test("the request has left while the sample waits for a lock, which it gives up soon", async (stack) => {
    await stack.sql`insert into public.messenger_messages (type) values ('Note')`;
    const before = await requested(stack);
    await stack.sql.begin(async (sql) => {
      await sql`lock table messenger.backlog_points in access exclusive mode`;
      const minute = assertRejects(() => passMinute(stack), Error, "lock timeout");
      while (await requested(stack) === before) await new Promise((done) => setTimeout(done, 10));
      await minute;
    });
    assertEquals(await requested(stack), before + 1);
  });

  test("without the key in Vault there is no request, but a sample", async (stack) => {
    await stack.sql`insert into public.messenger_messages (type) values ('Note')`;
    await stack.sql`update vault.secrets set name = 'elsewhere' where name = 'symphony_url'`;
    await assertRejects(
      () => passMinute(stack),
      Error,
      "messenger_tick: Vault has no secret named symphony_url",
    );
    await stack.sql`update vault.secrets set name = 'symphony_url' where name = 'elsewhere'`;
    assertEquals((await stack.sql`select from messenger.backlog_points`).length, 2);
  });

  test("messenger_in_turn refuses to call a function that is not the bus's", async (stack) => {
    await assertRejects(
      () => stack.sql`call public.messenger_in_turn('{pg_sleep}')`,
      Error,
      "operations: has to have names of functions messenger_...",
    );
  });
});
