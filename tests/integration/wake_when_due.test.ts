/**
 * Messages that fall due later are handled, though no minute's tick comes: cron is off, or an hour away.
 * A message that is handled at all is handled in time here, for nothing else would ever wake a tick.
 */

import { assertEquals } from "@std/assert";
import { testsOnStack, withoutMinutes } from "../support/stack.ts";
import { atRest, handled } from "../support/woken.ts";

testsOnStack({ net: true, env: { SYMPHONY_TICK_BUDGET_MS: "4000" } }, (test) => {
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
