/** Wake-up through pg_net: what is written and due starts at its commit; cron is off throughout. */

import { assert, assertEquals } from "@std/assert";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";
import { atRest, handled, ticks } from "../support/woken.ts";

const textsOf = async (stack: TestStack) =>
  (await stack.effects()).map(({ payload }) => payload.text);

testsOnStack({ net: true, env: { SYMPHONY_TICK_BUDGET_MS: "10000" } }, (test) => {
  test("a message dispatched over HTTP is handled with no tick called", async (stack) => {
    await stack.dispatch({ type: "Note", payload: { text: "http" } });
    await handled(stack, 1);
    const [tick] = await atRest(stack);
    assertEquals(tick?.report, { claimed: 1, handled: 1, retried: 0, failed: 0 });
    assert(tick?.started_at >= tick?.asked_at && tick?.ended_at >= tick?.started_at);
  });

  test("a dispatch in SQL and rows inserted in SQL wake a tick at their commit", async (stack) => {
    await stack.sql`select public.messenger_dispatch('Note', '{"text":"sql"}')`;
    await handled(stack, 1);
    await atRest(stack);
    await stack.sql`insert into public.messenger_messages (type, payload) values
      ('Note', '{"text":"hand"}')`;
    await handled(stack, 2);
    assertEquals(await textsOf(stack), ["sql", "hand"]);
    await atRest(stack);
  });

  test("a message dispatched while a handler runs does not wait for that handler", async (stack) => {
    await stack.dispatch({ type: "Slow", payload: { ms: 4000 } });
    await handled(stack, 1);
    await stack.dispatch({ type: "Note", payload: { text: "quick" } });
    await handled(stack, 2);
    const [slow] = await stack
      .sql`select status from public.messenger_messages where type = 'Slow'`;
    assertEquals(slow?.status, "processing");
    await atRest(stack);
  });

  test("the next of a group starts at once when the one before it is cancelled", async (stack) => {
    const sent = await stack.dispatch([
      { type: "Note", payload: { text: "later" }, groupKey: "g", delay: "1h" },
      { type: "Note", payload: { text: "next" }, groupKey: "g" },
    ]);
    assertEquals(await textsOf(stack), []);
    await stack.client.rpc("messenger_cancel", { ids: sent.slice(0, 1) });
    await handled(stack, 1);
    assertEquals(await textsOf(stack), ["next"]);
    await atRest(stack);
  });

  test("what is rolled back, delayed or in a paused queue asks for no tick", async (stack) => {
    await stack.sql.begin(async (sql) => {
      await sql`select public.messenger_dispatch('Note', '{"text":"never"}')`;
      await sql`rollback`;
    }).catch(() => {});
    await stack
      .sql`select public.messenger_dispatch('Note', '{"text":"later"}', delay => '1 hour')`;
    await stack.sql`insert into public.messenger_queues (name, paused) values ('paused', true)`;
    await stack.sql`select public.messenger_dispatch('Note', '{"text":"p"}', queue => 'paused')`;
    assertEquals((await ticks(stack)).length, 0);
  });

  test("a burst of 50 dispatches is handled to the last, by no more ticks than connections", async (stack) => {
    await Promise.all(
      Array.from(
        { length: 50 },
        (_, n) => stack.dispatch({ type: "Note", payload: { text: `${n}` } }),
      ),
    );
    await handled(stack, 50);
    const rows = await atRest(stack);
    assert(rows.length <= 20, `${rows.length} ticks`);
    assertEquals(new Set(await textsOf(stack)).size, 50);
  });

  test("without the secrets in Vault a dispatch succeeds, and the next tick handles it", async (stack) => {
    const [secret] = await stack.sql`
      delete from vault.secrets where name = 'symphony_url' returning secret`;
    try {
      await stack.dispatch({ type: "Note", payload: { text: "kept" } });
      assertEquals((await ticks(stack)).length, 0);
      assertEquals((await stack.tick()).messages.handled, 1);
    } finally {
      await stack.sql`select vault.create_secret(${secret?.secret}, 'symphony_url')`;
    }
  });

  test("a tick with nothing to do is over after its first call, and rows do not pile up", async (stack) => {
    await stack.sql`alter sequence public.messenger_ticks_id_seq restart with 20001`;
    await stack.sql`insert into public.messenger_ticks (id, ended_at, rested_at)
      overriding system value values (1, now(), now())`;
    assertEquals((await stack.tick()).messages.claimed, 0);
    const rows = await ticks(stack);
    assertEquals(rows.some(({ id }) => id === "1"), false);
    assertEquals([rows.at(-1)?.report, rows.at(-1)?.ended_at !== null], [null, true]);
  });

  test("a tick asked for that has been started already, or is one too many, does nothing", async (stack) => {
    const start = async (tick: string | null) =>
      (await stack.client.rpc("messenger_start_tick", { tick, awake: true })).data;
    const asked = async () => {
      const [row] = await stack.sql`select messenger.ask_tick()::text as id`;
      return row?.id as string;
    };
    assertEquals((await start("999999999")).proceed, false);
    await stack.sql`insert into public.messenger_ticks (started_at, heartbeat_at)
      values (clock_timestamp(), clock_timestamp())`;
    const id = await asked();
    await eventually(
      () => ticks(stack),
      (rows) => rows.some((row) => row.id === id && row.ended_at),
    );
    assertEquals((await start(id)).proceed, false);
  });

  test("a backlog of a queue with max_workers is drained by several ticks, a usual one by one", async (stack) => {
    await stack.sql`insert into public.messenger_queues (name, max_workers) values ('count', 3)
      on conflict (name) do update set max_workers = 3`;
    await stack.sql`insert into public.messenger_messages (type, payload, queue)
      select 'Count', jsonb_build_object('n', n), 'count' from generate_series(1, 5000) n`;
    const rows = await eventually(
      () => ticks(stack),
      (rows) => rows.length > 1 && rows.every(({ ended_at }) => ended_at !== null),
    );
    const sum = rows.reduce((total, { report }) => total + (report?.handled ?? 0), 0);
    assertEquals(sum, 5000);
    assert(rows.length <= 8, `${rows.length} ticks`);
  });

  test("users may not ask for ticks", async (stack) => {
    const jwt = await stack.mintUserJwt({ sub: crypto.randomUUID() });
    for (const name of ["messenger_tick", "messenger_grow_fleet"]) {
      const response = await fetch(`${stack.url}/rest/v1/rpc/${name}`, {
        method: "POST",
        headers: { apikey: stack.publishableKey, authorization: `Bearer ${jwt}` },
      });
      assertEquals([response.status, (await response.json()).code], [403, "42501"]);
    }
  });
});
