/**
 * Messages that fall due later are handled in time, though no minute's tick comes: cron is off, or an hour away.
 * A message that is handled at all is handled in time here, for nothing else would ever wake a tick.
 */

import { assert, assertEquals } from "@std/assert";
import { eventually, testsOnStack, type TestStack, withoutMinutes } from "../support/stack.ts";

const ticks = (stack: TestStack) => stack.sql`select * from public.messenger_ticks order by id`;
const handled = (stack: TestStack, number: number) =>
  eventually(() => stack.effects(), (effects) => effects.length >= number, 40_000);
const atRest = (stack: TestStack) =>
  eventually(() => ticks(stack), (rows) => rows.every(({ ended_at }) => ended_at !== null));
/** How much later than asked each started, in ms. */
const lateness = async (stack: TestStack) =>
  (await stack.sql`
    select 1000 * extract(epoch from e.at - (e.payload ->> 'text')::timestamptz)::float8 as ms
    from public.test_effects e`).map(({ ms }) => ms);
const schedule = (stack: TestStack, column: string, value: string | number, type: string) =>
  stack.sql.unsafe(
    `insert into public.messenger_schedules (message_type, payload, schedule_type, ${column})
     values ('Note', '{"text":"s"}', '${type}', $1)`,
    [value],
  );

testsOnStack({ net: true, env: { SYMPHONY_TICK_BUDGET_MS: "4000" } }, (test) => {
  test("a delayed message starts when it is due, over the ends of several ticks", async (stack) => {
    await withoutMinutes(stack);
    for (const delayMs of [6_000, 5_500, 1_000]) {
      const due = new Date(Date.now() + delayMs).toISOString();
      await stack.dispatch({ type: "Note", payload: { text: due }, delay: delayMs });
    }
    await handled(stack, 3);
    const late = await lateness(stack);
    assert(late.every((ms) => ms >= 0 && ms < 1_000), `late by ${late} ms`);
    await atRest(stack);
  });

  test("retries and snoozes come when they are due", async (stack) => {
    await withoutMinutes(stack);
    await stack.dispatch({ type: "Wobbly", payload: { failures: 2, snoozes: 2 } });
    await handled(stack, 5);
    await stack.dispatch({ type: "Fail", payload: { until: 3 } });
    await handled(stack, 8);
    await atRest(stack);
  });

  test("a message whose time is changed, and one of a queue that is resumed, are waited for", async (stack) => {
    await withoutMinutes(stack);
    await stack.dispatch([
      { type: "Note", payload: { text: "moved" }, delay: "2h" },
      { type: "Note", payload: { text: "held" }, delay: 2_500, queue: "held" },
    ]);
    await stack.sql`update public.messenger_queues set paused = true where name = 'held'`;
    await stack.sql`
      update public.messenger_messages set available_at = now() + interval '1 second'
      where queue = 'default'`;
    await handled(stack, 1);
    await stack.sql`update public.messenger_queues set paused = false where name = 'held'`;
    await handled(stack, 2);
    await atRest(stack);
  });

  test("messages at a steady rate are handled by ticks that stay awake for them", async (stack) => {
    for (let n = 0; n < 12; n++) {
      await stack.sql`
        select public.messenger_dispatch('Note', jsonb_build_object('text', clock_timestamp()))`;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    await handled(stack, 12);
    // The stand-in for pg_net would hold back every third of them by half a second and more.
    const late = (await lateness(stack)).sort((a, b) => a - b);
    assert((late[6] ?? Infinity) < 250, `late by ${late} ms`);
    assert((await atRest(stack)).length <= 4);
  });

  test("a single run that is soon, and one of an interval, are made in their time", async (stack) => {
    await withoutMinutes(stack);
    await stack.sql`delete from public.messenger_schedules`;
    await schedule(stack, "run_at", new Date(Date.now() + 2_000).toISOString(), "once");
    await schedule(stack, "interval_ms", 1_000, "interval");
    await handled(stack, 8);
    await stack.sql`delete from public.messenger_schedules`;
    const runs = await stack.sql`
      select 1000 * extract(epoch from at - (context -> 'schedule' ->> 'occurrence')::timestamptz)::float8 as ms
      from public.test_effects`;
    assert(runs.every(({ ms }) => ms >= 0 && ms < 1_000), `late by ${runs.map(({ ms }) => ms)} ms`);
    await atRest(stack);
  });

  test("messages do not wait for a tick whose slots are all taken by long handlers", async (stack) => {
    await stack.dispatch(
      Array.from({ length: 10 }, () => ({ type: "Slow", payload: { ms: 9_000 } })),
    );
    await handled(stack, 10);
    await stack.dispatch({ type: "Note", payload: { text: "meanwhile" } });
    await handled(stack, 11);
    const [row] = await stack.sql`
      select count(*)::int as running from public.messenger_messages where type = 'Slow'`;
    assertEquals(row?.running, 10);
    await atRest(stack);
  });
});
