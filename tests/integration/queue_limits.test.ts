/** Limits of a queue as its messages' handlers see them, over several ticks at once. */

import { assert, assertEquals } from "@std/assert";
import { testsOnStack, type TestStack } from "../support/stack.ts";

/** When the handlers of a queue with a rate started, in ms, in order. */
async function starts(stack: TestStack): Promise<number[]> {
  const effects = await stack.effects();
  return effects.map(({ payload }) => payload.at as number).toSorted((a, b) => a - b);
}

/** The largest number of starts within any period of a length in ms. */
function mostWithin(ms: number, times: readonly number[]): number {
  let most = 0;
  let first = 0;
  times.forEach((time, position) => {
    while ((times[first] ?? 0) <= time - ms) first++;
    most = Math.max(most, position - first + 1);
  });
  return most;
}

testsOnStack({ poolSize: 12 }, (test) => {
  test("a rate of 100 a second over 10 seconds, with 4 workers: never more in any one second", async (stack) => {
    await stack.sql`insert into public.messenger_queues (name, rate_limit) values ('rated', 100)`;
    await stack.dispatch(Array.from({ length: 900 }, () => ({ type: "Started", payload: {} })));
    let handled = 0;
    // A busy machine does not use each second's starts up, and needs another round.
    for (let round = 0; round < 3 && handled < 900; round++) {
      const reports = await Promise.all([1, 2, 3, 4].map(() => stack.tick()));
      handled += reports.reduce((sum, { messages }) => sum + messages.handled, 0);
    }
    assertEquals(handled, 900);
    const times = await starts(stack);
    assertEquals(times.length, 900);
    assert(mostWithin(1_000, times) <= 100, `${mostWithin(1_000, times)} in a second`);
  });

  test("what waits for its rate holds up no other queue", async (stack) => {
    await stack.sql`insert into public.messenger_queues (name, rate_limit, rate_period_ms)
      values ('rated', 2, 600000)`;
    await stack.dispatch([
      ...Array.from({ length: 5 }, () => ({ type: "Started", payload: {}, priority: 9 })),
      ...Array.from({ length: 5 }, () => ({ type: "Note", payload: { text: "other" } })),
    ]);
    // The rate opens after the tick's budget, so it ends at once.
    const { messages } = await stack.tick();
    assertEquals(messages.handled, 7);
    const left = await stack.sql`
      select distinct queue, status, attempts from public.messenger_messages`;
    assertEquals(left.map((row) => ({ ...row })), [
      { queue: "rated", status: "pending", attempts: 0 },
    ]);
  });

  test("a queue that is resumed is worked on at once", async (stack) => {
    await stack.sql`insert into public.messenger_queues (name, paused) values ('rated', true)`;
    await stack.dispatch({ type: "Started", payload: {} });
    assertEquals((await stack.tick()).messages.handled, 0);
    const asked = () => stack.sql`select from public.messenger_ticks where started_at is null`;
    assertEquals((await asked()).length, 0);
    await stack.sql`update public.messenger_queues set paused = false where name = 'rated'`;
    assertEquals((await asked()).length, 1);
  });
});
