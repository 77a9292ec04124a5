/** Operations on many messages: in steps that each commit, over HTTP, from code and in SQL. */

import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { redrive, TransportError } from "../../supabase/functions/_shared/symphony/index.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { actions, ask, clearManaged, refusal } from "../support/management.ts";
import { messages } from "../support/messages/mod.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";
import { workbench } from "../support/worker.ts";

const { bus } = workbench(messages);

async function addMany({ sql }: TestStack, number: number): Promise<void> {
  await sql`
    insert into public.messenger_failed_messages
      (id, type, payload, queue, reason, created_at, failed_at)
    select nextval('public.messenger_messages_id_seq'), 'Gone', '{}', 'later', 'exhausted', now(), now()
    from generate_series(1, ${number})`;
}

/** A client whose calls, those that are meant by their number, find no function. */
function losing(stack: TestStack, isMeant: (call: number) => boolean): SupabaseClient {
  let calls = 0;
  const send: typeof fetch = (url, init) =>
    fetch(
      isMeant(++calls) ? String(url).replace(/rpc\/\w+/, "rpc/messenger_gone") : url,
      init,
    );
  return createClient(stack.url, stack.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: send },
  });
}

async function count({ sql }: TestStack, table: string): Promise<number> {
  const [row] = await sql<{ n: number }[]>`select count(*)::int as n from ${
    sql(`public.messenger_${table}`)
  }`;
  return row?.n ?? -1;
}

testsOnStack({}, (test) => {
  test("one request redrives, cancels and removes more than a step, and each step is logged", async (stack) => {
    await clearManaged(stack);
    await ask(stack, "POST", "/queues", { name: "later", paused: true });
    await addMany(stack, 12_000);
    const dry = await ask(stack, "POST", "/failed-messages/redrive", { all: true, dryRun: true });
    assertEquals([dry.body.matched, dry.body.done, dry.body.next], [12_000, 0, null]);
    const redriven = await ask(stack, "POST", "/failed-messages/redrive", { all: true });
    assertEquals([redriven.body.done, redriven.body.next], [12_000, null]);
    const cancelled = await ask(stack, "POST", "/messages/cancel", { queue: "later" });
    let done = cancelled.body.done;
    for (let { next } = cancelled.body; next !== null;) {
      const { body } = await ask(stack, "POST", "/messages/cancel", {
        queue: "later",
        cursor: next,
      });
      assert(body.done > 0);
      [done, next] = [done + body.done, body.next];
    }
    assertEquals([done, await count(stack, "messages")], [12_000, 0]);
    const removed = await ask(stack, "POST", "/failed-messages/remove", {
      reason: "cancelled",
      maxMessages: 11_000,
    });
    assertEquals([removed.body.done, removed.body.next], [11_000, null]);
    assertEquals(await count(stack, "failed_messages"), 1000);
    const lines = await actions(stack);
    const affected = (action: string) =>
      lines.filter(([, name]) => name === action).map(([, , number]) => Number(number));
    assert(affected("redrive").length > 1 && affected("redrive").every((n) => n <= 10_000));
    assertEquals(affected("redrive").reduce((sum, n) => sum + n, 0), 12_000);
    assertEquals(affected("remove_failed").reduce((sum, n) => sum + n, 0), 11_000);
  });

  test("a request continues where the one before ended", async (stack) => {
    await clearManaged(stack);
    await addMany(stack, 300);
    const filter = { type: "Gone", maxMessages: 200 };
    const cursor =
      (await ask(stack, "POST", "/failed-messages/redrive", { ...filter, dryRun: true }))
        .body.next;
    assertEquals(cursor, null, "200 is what was asked for");
    const wrong = await ask(stack, "POST", "/failed-messages/redrive", {
      ...filter,
      cursor: "e30",
    });
    assertEquals(refusal(wrong), [400, "invalid_request", ["cursor"]]);
  });

  test("a change of all messages has to ask for all, over HTTP and in code", async (stack) => {
    await addMany(stack, 2);
    for (
      const path of [
        "/failed-messages/redrive",
        "/failed-messages/remove",
        "/messages/cancel",
        "/messages/run",
      ]
    ) {
      for (const body of [{}, { all: false }, { dryRun: true }, { maxMessages: 1 }]) {
        assertEquals(refusal(await ask(stack, "POST", path, body)), [400, "invalid_request", []]);
      }
      for (
        const body of [{ ids: null }, { ids: [] }, { type: null }, { type: "" }, {
          queue: "",
          type: "A",
        }]
      ) {
        assertEquals((await ask(stack, "POST", path, body)).status, 400, JSON.stringify(body));
      }
      assertEquals(refusal(await ask(stack, "POST", path, { all: true, type: "Gone" })), [
        400,
        "invalid_request",
        ["all"],
      ]);
    }
    const transport = new SupabaseTransport(stack.client);
    const missing = null as unknown as string[];
    for (
      const filter of [{}, { ids: missing }, { ids: missing, type: "Gone" }, { type: "" }, {
        all: false,
      }]
    ) {
      await assertRejects(() => redrive(stack.client, bus, filter), RangeError);
      await assertRejects(() => transport.cancel(filter), RangeError);
    }
    await assertRejects(
      () => redrive(stack.client, bus, { all: true, queue: "x" }),
      RangeError,
      "all",
    );
    assertEquals(await count(stack, "failed_messages"), 2);
    assertEquals((await redrive(stack.client, bus, { ids: [] })).matched, 0);
    assertEquals((await redrive(stack.client, bus, { all: true })).done, 2);
    assertEquals(await transport.cancel({ all: true }), { cancelled: 2, running: 0 });
  });

  test("a step that fails leaves what the steps before have done", async (stack) => {
    await clearManaged(stack);
    await addMany(stack, 12_000);
    const failing = losing(stack, (call) => call === 2);
    const result = await redrive(failing, bus, { all: true });
    assert(result.done >= 100 && result.done <= 10_000 && result.next !== null);
    const rest = await redrive(stack.client, bus, { all: true, after: result.next });
    assertEquals([result.done + rest.done, rest.next], [12_000, null]);
    const broken = losing(stack, () => true);
    await assertRejects(() => redrive(broken, bus, { all: true }), TransportError);
  });

  test("in SQL a procedure takes all steps, each in a transaction of its own", async (stack) => {
    await clearManaged(stack);
    await addMany(stack, 12_000);
    await stack
      .sql`call public.messenger_in_steps('messenger_remove_failed', '{"type":"Gone"}', 'ada')`;
    assertEquals(await count(stack, "failed_messages"), 0);
    const lines = await actions(stack);
    assert(lines.length > 1 && lines.every(([actor]) => actor === "ada"));
    await assertRejects(() =>
      stack.sql`call public.messenger_in_steps('messenger_remove_failed', '{}')`
    );
  });

  test("the commands of the pruning jobs run", async (stack) => {
    await stack.sql`
      insert into public.messenger_failed_messages (id, type, payload, queue, reason, created_at, failed_at)
      select -n, 'Old', '{}', 'later', 'exhausted', '2020-01-01', '2020-01-01'
      from generate_series(1, 10100) as n`;
    const jobs = await stack.sql<{ command: string }[]>`
      select command from cron.job where jobname like 'symphony-prune%' order by jobname`;
    assertEquals(jobs.length, 6);
    for (const { command } of jobs) await stack.sql.unsafe(command).simple();
    assertEquals(await count(stack, "failed_messages"), 0);
  });
});
