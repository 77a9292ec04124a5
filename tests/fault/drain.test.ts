/** A large backlog within the platform's limits: ticks keep to their budget, and none is killed. */

import { assert, assertEquals } from "@std/assert";
import type { FunctionLimits } from "../../local/function_process.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const MESSAGES = 100_000;
/** The time that a tick may take beyond its budget, for running handlers and for its last calls. */
const RESERVE_MS = 5_000;
/** Drains the backlog by up to four ticks at once. Returns the ticks that had something to do. */
async function drain(stack: TestStack) {
  await stack.sql`insert into public.messenger_queues (name, max_workers) values ('count', 4)`;
  await stack.sql`insert into public.messenger_messages (type, payload, queue)
    select 'Count', jsonb_build_object('n', n), 'count' from generate_series(1, ${MESSAGES}) n`;
  await eventually(() => stack.count(), (n) => n === 0 || stack.limitKills.length > 0, 120_000);
  assertEquals(stack.limitKills, []);
  const ticks = await eventually(
    () =>
      stack.sql<{ ms: number; ended: boolean; report: { handled: number } | null }[]>`
        select extract(epoch from ended_at - started_at)::float8 * 1000 as ms, report,
          ended_at is not null as ended
        from public.messenger_ticks order by id`,
    (rows) => rows.every(({ ended }) => ended),
  );
  return ticks.filter(({ report }) => report);
}

/** Registers a test on a stack of its own, whose functions are held to these limits. */
function testWithin(name: string, budgetMs: number, limits: FunctionLimits): void {
  testsOnStack(
    { net: true, limits, env: { SYMPHONY_TICK_BUDGET_MS: `${budgetMs}` } },
    (test) =>
      test(name, async (stack) => {
        const ticks = await drain(stack);
        assertEquals(stack.limitKills, []);
        assert(ticks.length > 4, `${ticks.length} ticks`);
        assertEquals(ticks.filter(({ ms }) => ms > budgetMs + RESERVE_MS), []);
        assertEquals(ticks.reduce((sum, { report }) => sum + (report?.handled ?? 0), 0), MESSAGES);
      }),
  );
}

// The platform's 150 s for a budget of 50 s, at a smaller scale and with room for a slow machine.
testWithin(
  "100,000 messages are drained by up to four ticks at a time within the wall clock",
  3_000,
  { wallMs: 12_000 },
);

testWithin(
  "100,000 messages are drained by up to four ticks at a time within 2 s of CPU a process",
  50_000,
  { wallMs: 150_000, cpuMs: 2_000 },
);
