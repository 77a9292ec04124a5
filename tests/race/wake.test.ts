/** No wake-up is lost between a dispatch that counts on a tick and that tick going to rest. */

import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { eventually, testsOnStack, type TestStack, withoutMinutes } from "../support/stack.ts";

const rpc = async (stack: TestStack, name: string, args: Record<string, unknown>) => {
  const { data, error } = await stack.client.rpc(name, args);
  if (error) throw error;
  return data;
};

/** A session in a transaction that has dispatched and not committed. */
async function dispatching(stack: TestStack, isolation = "read committed") {
  const sql = postgres(stack.adminDbUrl, { max: 1, onnotice: () => {} });
  await sql.unsafe(`begin isolation level ${isolation}`);
  await sql`select public.messenger_dispatch('Note', '{"text":"late"}')`;
  return { sql, [Symbol.asyncDispose]: () => sql.end() };
}

/** Inserts an awake tick and returns its id. */
async function awakeTick(stack: TestStack): Promise<string> {
  const [row] = await stack.sql`
    insert into public.messenger_ticks (started_at, heartbeat_at)
    values (clock_timestamp(), clock_timestamp()) returning id`;
  return row?.id;
}

const asked = async (stack: TestStack) => {
  const [row] = await stack.sql`
    select count(*)::int as n from public.messenger_ticks where started_at is null`;
  return row?.n;
};

testsOnStack({ env: { SYMPHONY_TICK_BUDGET_MS: "8000" } }, (test) => {
  test("a tick cannot go to rest before a dispatch that counts on it commits, and then learns of its message", async (stack) => {
    const tick = await awakeTick(stack);
    await using session = await dispatching(stack);
    assertEquals(await rpc(stack, "messenger_rest_tick", { tick }), { rested: false, due: false });
    await session.sql`commit`;
    assertEquals(await asked(stack), 0);
    assertEquals(await rpc(stack, "messenger_rest_tick", { tick }), { rested: false, due: true });
  });

  test("a dispatch that counts on a tick and rolls back lets the tick go to rest", async (stack) => {
    const tick = await awakeTick(stack);
    await using session = await dispatching(stack);
    await session.sql`rollback`;
    assertEquals(await rpc(stack, "messenger_rest_tick", { tick }), { rested: true, due: false });
  });

  test("a tick whose budget ends while a dispatch counts on it has a successor", async (stack) => {
    const tick = await awakeTick(stack);
    await using session = await dispatching(stack);
    await rpc(stack, "messenger_end_tick", { tick });
    await session.sql`commit`;
    assertEquals(await asked(stack), 1);
  });

  test("a dispatch that meets a tick just going to rest asks for its own", async (stack) => {
    const tick = await awakeTick(stack);
    const resting = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await resting`begin`;
      await resting`select public.messenger_rest_tick(${tick})`;
      await stack.dispatch({ type: "Note", payload: { text: "own" } });
      await resting`commit`;
    } finally {
      await resting.end();
    }
    assertEquals(await asked(stack), 1);
  });

  test("a dispatch with an older snapshot counts on a tick that nothing has changed since", async (stack) => {
    const tick = await awakeTick(stack);
    await using session = await dispatching(stack, "repeatable read");
    assertEquals(await rpc(stack, "messenger_rest_tick", { tick }), { rested: false, due: false });
    await session.sql`commit`;
    assertEquals(await asked(stack), 0);
  });

  test("a dispatch with a snapshot from before a tick went to rest asks for its own", async (stack) => {
    const tick = await awakeTick(stack);
    const sql = postgres(stack.adminDbUrl, { max: 1, onnotice: () => {} });
    try {
      await sql.unsafe("begin isolation level serializable");
      await sql`select count(*) from public.messenger_ticks`;
      await rpc(stack, "messenger_rest_tick", { tick });
      await sql`select public.messenger_dispatch('Note', '{"text":"old"}')`;
      await sql`commit`;
    } finally {
      await sql.end();
    }
    assertEquals(await asked(stack), 1);
  });

  test("50 dispatches in transactions of repeatable read ask for one tick", async (stack) => {
    const sql = postgres(stack.adminDbUrl, { max: 1, onnotice: () => {} });
    try {
      for (let n = 0; n < 50; n++) {
        await sql.unsafe(`begin isolation level ${n % 2 ? "repeatable read" : "serializable"}`);
        await sql`select public.messenger_dispatch('Note', '{"text":"late"}')`;
        await sql`commit`;
      }
    } finally {
      await sql.end();
    }
    assertEquals(await asked(stack), 1);
  });

  test("a message that falls due later counts on a tick that looks again before it, and no other", async (stack) => {
    await withoutMinutes(stack);
    const tick = await awakeTick(stack);
    const later = (ms: number) =>
      stack.dispatch({ type: "Note", payload: { text: "later" }, delay: ms });
    await later(20_000);
    const { rested, messages_in_ms } = await rpc(stack, "messenger_rest_tick", {
      tick,
      report: { claimed: 0 },
      left_ms: 40_000,
    });
    assertEquals([rested, messages_in_ms > 15_000 && messages_in_ms < 20_000], [true, true]);
    await later(21_000);
    assertEquals(await asked(stack), 0);
    await later(2_000);
    assertEquals(await asked(stack), 1);
  });

  test("a tick that waits for a message cannot end unseen while another dispatch counts on it", async (stack) => {
    await withoutMinutes(stack);
    const tick = await awakeTick(stack);
    await stack.dispatch({ type: "Note", payload: { text: "first" }, delay: 1_000 });
    await rpc(stack, "messenger_rest_tick", { tick, left_ms: 40_000 });
    // Nothing else would have the tick ask for another.
    await stack.sql`delete from public.messenger_messages where true`;
    const sql = postgres(stack.adminDbUrl, { max: 1, onnotice: () => {} });
    try {
      await sql`begin`;
      await sql`select public.messenger_dispatch('Note', '{"text":"second"}', delay => '2 s')`;
      await rpc(stack, "messenger_end_tick", { tick });
      await sql`commit`;
    } finally {
      await sql.end();
    }
    assertEquals(await asked(stack), 1);
  });

  test("of two ticks that go to rest, one stays for what falls due before the next minute", async (stack) => {
    await withoutMinutes(stack);
    const ticks = [await awakeTick(stack), await awakeTick(stack)];
    await stack.dispatch({ type: "Note", payload: { text: "later" }, delay: 5_000 });
    const stay = [];
    for (const tick of ticks) {
      const report = { claimed: 0 };
      const answer = await rpc(stack, "messenger_rest_tick", { tick, report, left_ms: 40_000 });
      stay.push("messages_in_ms" in answer);
    }
    assertEquals(stay, [false, true]);
  });

  test("a tick that stands aside no longer counts, and asks for another where work is left", async (stack) => {
    const tick = await awakeTick(stack);
    await stack.dispatch({ type: "Note", payload: { text: "left" } });
    assertEquals(await asked(stack), 0);
    assertEquals(await rpc(stack, "messenger_stand_aside", { tick, stalled: true }), true);
    assertEquals(await asked(stack), 1);
    // As many ticks as a fleet has, and no more: the next dispatch counts on one of them.
    const other = await awakeTick(stack);
    assertEquals(await rpc(stack, "messenger_stand_aside", { tick: other, stalled: true }), false);
    assertEquals(await rpc(stack, "messenger_stand_aside", { tick: other }), true);
  });

  test("a dead tick and a lost request are counted on for some seconds only", async (stack) => {
    await stack.sql`
      insert into public.messenger_ticks (asked_at, started_at, heartbeat_at) values
        (clock_timestamp() - interval '6 seconds', null, null),
        (clock_timestamp() - interval '1 minute', clock_timestamp() - interval '1 minute',
          clock_timestamp() - interval '16 seconds')`;
    const before = await asked(stack);
    await stack.dispatch({ type: "Note", payload: { text: "x" } });
    assertEquals(await asked(stack), before + 1);
  });

  test("what was left to a tick that had been killed is the next minute's", async (stack) => {
    await awakeTick(stack);
    await stack.dispatch({ type: "Note", payload: { text: "left" } });
    assertEquals(await asked(stack), 0);
    const minute = { awake: true, budget_ms: 50_000 };
    assertEquals((await rpc(stack, "messenger_start_tick", minute)).proceed, true);
  });

  test("a running tick stays for the message of a dispatch that has not committed, and handles it", async (stack) => {
    // The first dispatch keeps the tick from resting until the second one counts on it too.
    await using first = await dispatching(stack);
    await stack.sql`delete from public.messenger_ticks`;
    await (await stack.post("tick", { wait: false })).body?.cancel();
    await eventually(
      () => stack.sql`select from public.messenger_ticks where started_at is not null`,
      (rows) => rows.length === 1,
    );
    await using second = await dispatching(stack);
    await first.sql`rollback`;
    await second.sql`commit`;
    assertEquals(await asked(stack), 0);
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
  });
});
