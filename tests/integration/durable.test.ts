/** Durable work on ticks: steps that do not fit into one begin in the next, and sleepers hold nothing. */

import { assertEquals } from "@std/assert";
import { drained } from "../support/drain.ts";
import { sized } from "../support/sizes.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

/** A tick's budget, and the time that a step takes. */
const BUDGET_MS = sized(1_000, 20_000);
const STEP_MS = BUDGET_MS / 4;

testsOnStack({ net: true, env: { SYMPHONY_TICK_BUDGET_MS: `${BUDGET_MS}` } }, (test) => {
  for (
    const [what, payload] of [
      ["beyond a tick's time", { steps: sized(10, 30), ms: STEP_MS }],
      ["behind work that takes longer than a tick by itself", {
        steps: sized(2, 30),
        ms: STEP_MS,
        before: sized(1_100, 25_000),
      }],
    ] as const
  ) {
    test(`steps ${what} run over several ticks, and no attempt is charged`, async (stack) => {
      await stack.dispatch({ type: "Steps", payload });
      await drained(stack, sized(30_000, 1_500_000));
      const effects = await stack.effects();
      assertEquals(effects.map(({ attempt }) => attempt), Array(payload.steps + 1).fill(1));
      assertEquals(
        effects.map(({ type, payload: { n } }) => type === "done" ? type : n),
        [...Array.from({ length: payload.steps }, (_, n) => n), "done"],
      );
      const [failed] = await stack
        .sql`select count(*)::int as n from public.messenger_failed_messages`;
      assertEquals(failed?.n, 0);
    });
  }

  test("a thousand sleepers take no place of their queue, and a cancel ends all of them", async (stack) => {
    await stack.dispatch(Array.from({ length: 1_000 }, () => ({ type: "Sleeper", payload: {} })));
    await eventually(async () => {
      const [row] = await stack.sql`select count(*)::int as n from public.messenger_steps`;
      return row?.n;
    }, (n) => n === 1_000);
    await stack.sql`update public.messenger_queues set concurrency = 1 where name = 'sleepers'`;
    await stack.dispatch({ type: "Note", payload: { text: "now" }, queue: "sleepers" });
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    await stack.sql`select public.messenger_cancel("all" => true)`;
    const [row] = await stack.sql`
      select count(*)::int as n from public.messenger_failed_messages where reason = 'cancelled'`;
    assertEquals([row?.n, await stack.count()], [1_000, 0]);
  });

  test("a redrive continues behind the last good step, or from the one that is named", async (stack) => {
    const [id = ""] = await stack.dispatch({ type: "Booking", payload: { ms: 1 } });
    await drained(stack);
    const again = async (from: string | null) => {
      await stack
        .sql`insert into public.messenger_failed_messages (id, type, payload, queue, reason, stamps, created_at)
        values (${id}, 'Booking', '{"ms":1}', 'default', 'exhausted', '{"durable":{"version":null}}', now())`;
      await stack
        .sql`insert into public.messenger_steps (message_id, handler, name, status, error) values
        (${id}, 'handler', 'book', 'done', null),
        (${id}, 'handler', 'pay', 'failed', '{"reason":"exhausted","message":"declined","class":"Error"}'),
        (${id}, 'handler', 'cancel', 'done', null)`;
      await stack.sql`truncate public.test_effects`;
      await stack.sql`select public.messenger_redrive(array[${id}]::bigint[], "from" => ${from})`;
      await drained(stack);
      return (await stack.effects()).map(({ type }) => type);
    };
    // The failure is forgotten, so that the payment is tried again; the cancel is stored.
    assertEquals(await again(null), ["pay", "pay"]);
    assertEquals(await again("book"), ["book", "pay", "pay", "cancel"]);
    assertEquals(await again("start"), ["book", "pay", "pay", "cancel"]);
  });
});
