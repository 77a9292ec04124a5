/** A tick's memory stays under the hosted platform's limit, whatever is due together. */

import { assert, assertEquals } from "@std/assert";
import { memoryOf } from "../../local/function_process.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const MOST_MB = 200;

/**
 * Runs ticks until no message is left. Returns how many messages they handled, the largest memory of a tick, and how
 * many were killed. A process that gets no more requests, because much of its memory is used, is watched to its end.
 */
async function drain(stack: TestStack): Promise<{ handled: number; mb: number; kills: number }> {
  let mb = 0;
  const pids = new Set<number>();
  const killsBefore = stack.limitKills.length;
  const watch = setInterval(() => {
    const pid = stack.functionPid("tick");
    if (pid !== undefined) pids.add(pid);
    mb = Math.max(mb, ...[...pids].map(memoryOf));
  }, 10);
  let handled = 0;
  try {
    for (let ticks = 0; await stack.count() > 0; ticks++) {
      assert(ticks < 60, `handled ${handled}`);
      handled += (await stack.tick()).messages.handled;
    }
  } finally {
    clearInterval(watch);
  }
  return { handled, mb, kills: stack.limitKills.length - killsBefore };
}

/** Asserts that a drain stayed below the bound. */
function assertSmall({ mb, kills }: { mb: number; kills: number }, what = "drain"): void {
  assert(mb > 0 && mb < MOST_MB && kills === 0, `${what}: ${mb} MB, ${kills} kills`);
}

testsOnStack({
  messages: new URL("../support/quiet_messages", import.meta.url).pathname,
  limits: { memoryMb: 256 },
  env: { SYMPHONY_TICK_CPU_MS: "0" },
}, (test) => {
  test("an idle tick's process holds little", async (stack) => {
    await stack.tick();
    const mb = memoryOf(stack.functionPid("tick") ?? 0);
    assert(mb > 0 && mb < 128, `${mb} MB`);
  });

  test("600 messages of 1 MB that are due together are handled under 200 MB", async (stack) => {
    await stack.sql`insert into public.messenger_messages (type, payload)
      select 'Quiet', jsonb_build_object('text', repeat('x', 1000000)) from generate_series(1, 600)`;
    const drained = await drain(stack);
    assertEquals(drained.handled, 600);
    assertSmall(drained);
  });

  test("600 messages whose results are large, or whose many handlers fail, end under 200 MB", async (stack) => {
    for (const type of ["Kept", "Fails"]) {
      await stack.sql`insert into public.messenger_messages (type, payload)
        select ${type}, '{}' from generate_series(1, 600)`;
      assertSmall(await drain(stack), type);
    }
    const [row] = await stack.sql`select
      (select count(*)::int from public.messenger_handled_messages) as kept,
      (select count(*)::int from public.messenger_failed_messages) as failed`;
    assertEquals([row?.kept, row?.failed], [600, 600]);
  });

  test("20 messages with 900 steps each, which have 4 MB together, end under 200 MB", async (stack) => {
    await stack.sql`insert into public.messenger_messages (type, payload)
      select 'Steps', '{}' from generate_series(1, 20)`;
    const drained = await drain(stack);
    assertEquals(drained.handled, 20);
    assertSmall(drained);
  });

  test("500 messages with a hundred errors each in their history are handled under 200 MB", async (stack) => {
    await stack
      .sql`insert into public.messenger_messages (type, payload, retry_count, attempts, errors)
      select 'Quiet', '{}', 100, 100, (
        select jsonb_agg(jsonb_build_object('message', repeat('x', 2000), 'stack', repeat('y', 4000)))
        from generate_series(1, 100)
      )
      from generate_series(1, 500)`;
    const drained = await drain(stack);
    assertEquals(drained.handled, 500);
    assertSmall(drained);
  });

  test("a message of 110 MB that was written around the check is dead as crashed, and harms no other message", async (stack) => {
    await stack.sql`alter table public.messenger_messages
      drop constraint "payload: has to have at most 8388608 bytes"`;
    await stack.sql`insert into public.messenger_messages (type, payload)
      select 'Quiet', jsonb_build_object('text', repeat('x', case n when 1 then 110000000 else 1 end))
      from generate_series(1, 3) as n`;
    const drained = await drain(stack);
    assertEquals(drained.handled, 2);
    assertSmall(drained);
    const letters = await stack.sql`
      select reason, attempts, error from public.messenger_failed_messages`;
    assertEquals(letters.map(({ reason, attempts }) => [reason, attempts]), [["crashed", 1]]);
    assert(String(letters[0]?.error).startsWith("payload: has more bytes"), letters[0]?.error);
  });
});
