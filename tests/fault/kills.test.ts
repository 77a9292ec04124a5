/** The process of the tick is killed again and again during a drain: what is lost, and what runs twice. */

import { assert, assertEquals } from "@std/assert";
import { backlog, drained, fates, ran, tickEvery } from "../support/drain.ts";
import { chooseSeed, randomFrom } from "../support/random.ts";
import { sized } from "../support/sizes.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const MESSAGES = sized(10_000, 20_000);
const KILLS = sized(10, 20);

/** Ids in log lines of leases that were lost without a kill, on a machine that was too slow. */
function idsOfLostLeases(logs: readonly string[]): string[] {
  return logs.filter((line) => /"(lease_lost|settle_stale)"/.test(line))
    .flatMap((line) => JSON.parse(line.slice(line.indexOf("{"))).ids);
}

/** Kills the process. Returns the messages that may have been running in it. */
async function killTick(stack: TestStack): Promise<string[]> {
  await eventually(() => Promise.resolve(stack.functionPid("tick")), (pid) => pid !== undefined);
  await stack.killFunction("tick");
  const rows = await stack.sql<{ id: string }[]>`
    select id::text from public.messenger_messages where status = 'processing'`;
  return rows.map(({ id }) => id);
}

testsOnStack({
  net: true,
  cron: true,
  env: {
    SYMPHONY_WORKER_LEASE_MS: "3000",
    SYMPHONY_TICK_BUDGET_MS: "3000",
    SYMPHONY_WORKER_BATCH_SIZE: "20",
  },
}, (test) => {
  test(`killed ${KILLS} times at random moments of a drain of ${MESSAGES}: none is lost, and only messages in flight run twice`, async (stack) => {
    const seed = chooseSeed();
    const random = randomFrom(seed);
    // A moment is a number of handlers' runs.
    const moments = Array.from({ length: KILLS }, () => Math.ceil(random() * MESSAGES * 0.95));
    await tickEvery(stack, 1);
    const ids = await backlog(stack, MESSAGES);
    const inFlight: string[] = [];
    for (const moment of moments.sort((a, b) => a - b)) {
      await ran(stack, moment);
      inFlight.push(...await killTick(stack));
    }
    await drained(stack);

    const { lost, doubled, extraRuns, deadLetters } = await fates(stack, ids);
    const excused = [...inFlight, ...idsOfLostLeases(stack.logs)];
    const about = `SYMPHONY_TEST_SEED=${seed}, ${extraRuns} runs too many, ` +
      `${inFlight.length} messages in flight at kills, ${deadLetters} dead letters`;
    assertEquals(lost, [], about);
    assertEquals(doubled.filter((id) => !excused.includes(id)), [], about);
    assert(extraRuns <= excused.length, about);
  });
});
