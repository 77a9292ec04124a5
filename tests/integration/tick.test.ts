/** The tick over HTTPS, and retries and dead letters as an operator sees them. */

import { assert, assertEquals } from "@std/assert";
import { eventually, testsOnStack } from "../support/stack.ts";

const NO_SCHEDULES = { processed: 0, dispatched: 0, skipped: 0, failed: 0, stale: 0 };

testsOnStack({
  env: { SYMPHONY_TICK_BUDGET_MS: "6000", SYMPHONY_WORKER_LEASE_MS: "1000" },
}, (test) => {
  test("a tick with nothing to do responds at once with zeros", async (stack) => {
    const { schedules, messages, durationMs } = await stack.tick();
    assertEquals([schedules, messages], [NO_SCHEDULES, {
      claimed: 0,
      handled: 0,
      retried: 0,
      failed: 0,
    }]);
    assert(Number.isInteger(durationMs));
  });

  test("a tick without wait responds with 202, and continues in the background", async (stack) => {
    const [id] = await stack.dispatch({ type: "Slow", payload: { ms: 300 } });
    const response = await stack.post("tick", { wait: false });
    assertEquals([response.status, await response.json()], [202, { accepted: true }]);
    const [effect] = await eventually(() => stack.effects(), (effects) => effects.length > 0);
    assertEquals(effect?.message_id, id);
    await eventually(
      async () => await stack.sql`select from public.messenger_messages`,
      (rows) => rows.length === 0,
    );
  });

  test("a tick keeps to the queues it is given", async (stack) => {
    await stack.dispatch([
      { type: "Note", payload: { text: "a" }, queue: "a" },
      { type: "Note", payload: { text: "b" }, queue: "b" },
    ]);
    assertEquals((await stack.tick({ queues: ["b"] })).messages.handled, 1);
    assertEquals((await stack.effects()).map(({ payload }) => payload.text), ["b"]);
  });

  test("users, the publishable key and strangers may not tick", async (stack) => {
    const jwt = await stack.mintUserJwt({ sub: crypto.randomUUID() });
    for (
      const headers of [
        {},
        { apikey: stack.publishableKey },
        { apikey: stack.publishableKey, authorization: `Bearer ${jwt}` },
        { apikey: "sb_secret_wrong" },
      ]
    ) {
      const response = await stack.post("tick", {}, headers);
      assertEquals([response.status, (await response.json()).code], [401, "unauthorized"]);
    }
  });

  test("a tick's body is checked", async (stack) => {
    for (const body of [{ wait: "yes" }, { queues: [] }, { queues: [""] }, { limit: 5 }, []]) {
      const response = await stack.post("tick", body);
      assertEquals([response.status, (await response.json()).code], [400, "invalid_request"]);
    }
  });

  test("a handler that always throws runs maxRetries + 1 times at its delays, then is a dead letter", async (stack) => {
    const [id] = await stack.dispatch({ type: "Fail", payload: {} });
    const report = await stack.tick();
    assertEquals(report.messages, { claimed: 3, handled: 0, retried: 2, failed: 1 });
    const effects = await stack.effects();
    assertEquals(effects.map(({ attempt }) => attempt), [1, 2, 3]);
    const [letter] = await stack.sql`select * from public.messenger_failed_messages`;
    assertEquals([letter?.id, letter?.reason, letter?.attempts, letter?.error], [
      id,
      "exhausted",
      3,
      "attempt 3 failed",
    ]);
    assertEquals(
      letter?.errors.map((error: { attempt: number; message: string; class: string }) => [
        error.attempt,
        error.message,
        error.class,
      ]),
      [1, 2, 3].map((attempt) => [attempt, `attempt ${attempt} failed`, "Error"]),
    );
    for (const [earlier, later] of [[effects[0], effects[1]], [effects[1], effects[2]]]) {
      const waited = Number(later?.at) - Number(earlier?.at);
      assert(waited >= 1000, `the retry came after ${waited} ms`);
    }
  });

  test("a retry that falls due within the budget is not left to the next tick", async (stack) => {
    await stack.dispatch({ type: "Fail", payload: { until: 2 } });
    assertEquals((await stack.tick()).messages, { claimed: 2, handled: 1, retried: 1, failed: 0 });
  });

  test("a handler that outlives its lease is kept by heartbeats, and not run again", async (stack) => {
    await stack.dispatch({ type: "Slow", payload: { ms: 2500 } });
    const first = stack.tick();
    await eventually(() => stack.effects(), (effects) => effects.length === 1);
    assertEquals((await stack.tick()).messages.claimed, 0);
    assertEquals((await first).messages.handled, 1);
    assertEquals((await stack.effects()).length, 1);
  });

  test("a dead letter that is redriven keeps its id and history, and is handled with fresh retries", async (stack) => {
    const [id] = await stack.dispatch({ type: "Fail", payload: { until: 5 } });
    await stack.tick();
    const redriven = await stack.client.rpc("messenger_redrive", { type: "Fail" });
    assertEquals([redriven.error, redriven.data?.done], [null, 1]);
    const [row] = await stack.sql`
      select id, retry_count, attempts, stamps, jsonb_array_length(errors) as errors
      from public.messenger_messages`;
    assertEquals({ ...row }, {
      id,
      retry_count: 0,
      attempts: 0,
      stamps: { redriven: 1 },
      errors: 3,
    });
    await stack.client.rpc("messenger_redrive", { type: "Fail" });
    assertEquals((await stack.tick()).messages.failed, 1);
    const [letter] = await stack.sql`
      select id, redriven, jsonb_array_length(errors) as errors from public.messenger_failed_messages`;
    assertEquals({ ...letter }, { id, redriven: 1, errors: 6 });
  });

  test("a message of an unknown type, inserted in SQL, becomes a dead letter and stops no other message", async (stack) => {
    await stack.sql`insert into public.messenger_messages (type, payload, queue)
      values ('Removed', '{}', 'by-hand'), ('Note', '{"text":5}', 'by-hand'),
        ('Note', '{"text":"fine"}', 'by-hand')`;
    // The type has been waited for before.
    await stack.sql`
      update public.messenger_messages
      set attempts = 7, stamps = '{"unknownType":{"times":7,"attempt":7}}'
      where type = 'Removed'`;
    assertEquals((await stack.tick()).messages, { claimed: 3, handled: 1, retried: 0, failed: 2 });
    const letters = await stack.sql`
      select reason from public.messenger_failed_messages order by id`;
    assertEquals(letters.map(({ reason }) => reason), ["unknown_type", "invalid"]);
  });

  test("a dispatch in SQL that is rolled back leaves nothing, one that commits is handled", async (stack) => {
    await stack.sql.begin(async (sql) => {
      await sql`select public.messenger_dispatch('Note', '{"text":"never"}')`;
      await sql`rollback`;
    }).catch(() => {});
    await stack.sql`select public.messenger_dispatch('Note', '{"text":"sql"}')`;
    await stack.tick();
    assertEquals((await stack.effects()).map(({ payload }) => payload.text), ["sql"]);
  });

  test("a trigger dispatches in the transaction of the row that it watches", async (stack) => {
    await stack.sql.unsafe(`
      create table if not exists public.orders (id bigint generated always as identity, note text);
      create or replace function public.notify_order() returns trigger
      language plpgsql security definer set search_path = '' as $$
      begin
        perform public.messenger_dispatch(
          'Note', jsonb_build_object('text', new.note), idempotency_key => 'order-' || new.id);
        return new;
      end $$;
      create or replace trigger orders_notify after insert on public.orders
        for each row execute function public.notify_order();
      insert into public.orders (note) values ('first'), ('second');
    `).simple();
    await stack.tick();
    assertEquals((await stack.effects()).map(({ payload }) => payload.text).toSorted(), [
      "first",
      "second",
    ]);
  });
});
