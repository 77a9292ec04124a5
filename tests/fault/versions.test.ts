/** A deploy: workers of the version before claim messages of a type that they do not know. */

import { assertEquals } from "@std/assert";
import { backlog, drained, fates } from "../support/drain.ts";
import { eventually, startTestStack, testsOnStack, type TestStack } from "../support/stack.ts";

/** The functions of the version before, on the same database. */
function startOldVersion(stack: TestStack): Promise<TestStack> {
  return startTestStack({
    postgres: { url: stack.adminDbUrl },
    migrate: false,
    messages: new URL("../support/old_messages", import.meta.url).pathname,
    env: { SYMPHONY_TICK_BUDGET_MS: "1000" },
  });
}

const seenByOld = async (stack: TestStack) => {
  const [row] = await stack.sql`
    select count(*)::int as n from public.messenger_messages where errors is not null`;
  return row?.n;
};

testsOnStack({ env: { SYMPHONY_TICK_BUDGET_MS: "8000" } }, (test) => {
  test("messages of a new type that only an old worker has claimed are handled by the next one", async (stack) => {
    const old = await startOldVersion(stack);
    try {
      const ids = await backlog(stack, 200);
      assertEquals((await old.tick()).messages, {
        claimed: 200,
        handled: 0,
        retried: 200,
        failed: 0,
      });
      assertEquals((await stack.tick()).messages.handled, 200);
      const { lost, doubled, deadLetters } = await fates(stack, ids);
      assertEquals([lost, doubled, deadLetters], [[], [], 0]);
    } finally {
      await old.stop();
    }
  });

  test("an old and a new worker side by side drain a backlog, and what the old one claims is not lost", async (stack) => {
    const old = await startOldVersion(stack);
    try {
      const ids = await backlog(stack, 2_000);
      let isOver = false;
      const ticking = (async () => {
        // The old version continues until it has met some of them.
        while (!isOver) await old.tick();
      })();
      await eventually(() => seenByOld(stack), (n) => n > 0);
      isOver = true;
      await Promise.all([ticking, stack.tick()]);
      while ((await stack.tick()).messages.claimed > 0);
      await drained(stack);
      const { lost, doubled, deadLetters } = await fates(stack, ids);
      assertEquals([lost, doubled, deadLetters], [[], [], 0]);
    } finally {
      await old.stop();
    }
  });
});
