/** Things that die: workers, their claims, the database. Nothing is lost. */

import { assertEquals } from "@std/assert";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { eventually, startTestStack, testsOnStack, type TestStack } from "../support/stack.ts";

const LEASE_MS = 1_000;

/** Ticks until nothing waits or runs. */
async function tickUntilEmpty(stack: TestStack): Promise<void> {
  await eventually(async () => {
    // A tick whose process is killed gives no answer.
    await stack.post("tick", {}).then((response) => response.body?.cancel()).catch(() => {});
    return await stack.count();
  }, (n) => n === 0);
}

testsOnStack({
  env: { SYMPHONY_WORKER_LEASE_MS: String(LEASE_MS), SYMPHONY_TICK_BUDGET_MS: "3000" },
}, (test) => {
  test("a worker killed in mid-handler: its messages come back after the lease and are handled", async (stack) => {
    const [id] = await stack.dispatch({ type: "Slow", payload: { ms: 30_000 } });
    const killed = stack.post("tick", {}).then((response) => response.body?.cancel(), () => {});
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    const [{ lease_token: token }] = await stack.sql<[{ lease_token: string }]>`
      select lease_token from public.messenger_messages`;
    await stack.killFunction("tick");
    await killed;
    // This time the handler is quick.
    await stack.sql`update public.messenger_messages set payload = '{"ms":1}' where id = ${
      id ?? ""
    }`;
    await tickUntilEmpty(stack);
    const effects = await stack.effects();
    assertEquals(effects.map(({ message_id, attempt }) => [message_id, attempt]), [[id, 1], [
      id,
      2,
    ]]);
    assertEquals(effects[1]?.context.quarantined, true);

    const late = { id: id ?? "", leaseToken: token, outcome: { kind: "handled" } } as const;
    assertEquals(await new SupabaseTransport(stack.client).settle([late]), { stale: [id] });
  });

  test("a late settle under the old token changes nothing and says so", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const [id = ""] = await stack.dispatch({ type: "Note", payload: { text: "x" } });
    const claim = (token: string) => transport.claim({ token, maxMessages: 1, leaseMs: 1 });
    const old = crypto.randomUUID();
    await claim(old);
    const { crashed } = await eventually(
      () => claim(crypto.randomUUID()),
      ({ crashed }) => crashed.length === 1,
    );
    const late = await transport.settle([{ id, leaseToken: old, outcome: { kind: "handled" } }]);
    assertEquals(late, { stale: [id] });
    const [row] = await stack.sql`select lease_token from public.messenger_messages`;
    assertEquals(row?.lease_token, crashed[0]?.leaseToken);
  });

  test("a message that kills its process each time ends in the dead letters, its company is handled", async (stack) => {
    const [killer, ...company] = await stack.dispatch([
      { type: "Kill", payload: {} },
      ...[1, 2, 3, 4, 5].map((n) => ({ type: "Note", payload: { text: `innocent ${n}` } })),
    ]);
    await tickUntilEmpty(stack);
    const letters = await stack
      .sql`select id, reason, attempts from public.messenger_failed_messages`;
    // One crash in company, which is not charged, and maxRetries + 1 alone.
    assertEquals(letters.map((row) => ({ ...row })), [
      { id: killer, reason: "crashed", attempts: 3 },
    ]);
    const effects = await stack.effects();
    const handledIds = effects.filter(({ type }) => type === "Note").map((e) => e.message_id);
    assertEquals(new Set(handledIds), new Set(company));
    assertEquals(effects.filter(({ type }) => type === "Kill").map((e) => e.context.quarantined), [
      false,
      true,
      true,
    ]);
  });

  test("a message that kills its process once is handled the second time", async (stack) => {
    await stack.dispatch({ type: "Kill", payload: { attempts: 1 } });
    await tickUntilEmpty(stack);
    const letters = await stack.sql`select from public.messenger_failed_messages`;
    assertEquals([letters.length, (await stack.effects()).length], [0, 2]);
  });

  test("PostgREST restarted in the middle of a drain: nothing is lost, nothing is doubled", async (stack) => {
    await stack.dispatch(
      Array.from({ length: 300 }, (_, n) => ({ type: "Note", payload: { text: String(n) } })),
    );
    const ticking = stack.post("tick", {}).then((response) => response.body?.cancel());
    await eventually(() => stack.effects(), (effects) => effects.length > 20);
    await stack.restartPostgrest();
    await ticking;
    await tickUntilEmpty(stack);
    const effects = await stack.effects();
    const texts = new Set(effects.map(({ payload }) => payload.text));
    const letters = await stack.sql`select from public.messenger_failed_messages`;
    assertEquals([texts.size, letters.length], [300, 0]);
  });
});

Deno.test("Postgres gone between handler and settle: the outcome is written when it is back", async () => {
  const stack = await startTestStack({
    postgres: "embedded",
    durable: true,
    env: { SYMPHONY_WORKER_LEASE_MS: "60000" },
  });
  try {
    const { sql } = stack;
    await stack.dispatch({ type: "Slow", payload: { ms: 700 } });
    let isOver = false;
    const ticking = stack.tick().finally(() => isOver = true);
    await eventually(
      async () => await sql`select from public.test_effects`,
      (rows) => rows.length === 1,
    );
    // Down and up again, until a settle call has met it down.
    const metIt = () => stack.logs.some((line) => line.includes("call_repeated"));
    do await stack.restartPostgres("immediate"); while (!isOver && !metIt());
    assertEquals((await ticking).messages.handled, 1);
    const [row] = await sql`
      select (select count(*)::int from public.messenger_messages) as waiting,
        (select count(*)::int from public.test_effects) as effects`;
    assertEquals({ ...row }, { waiting: 0, effects: 1 });
  } finally {
    await stack.stop();
  }
});
