/** How late messages that fall due later are handled, though no minute's tick comes: cron is off, or an hour away. */

import { assert } from "@std/assert";
import { testsOnStack, type TestStack, withoutMinutes } from "../support/stack.ts";
import { atRest, handled } from "../support/woken.ts";

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
});
