/** Dispatches of many sessions at once with one idempotency key or one dedupe key. */

import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";
import { drain, untilBlocked } from "../support/racing.ts";
import { released } from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { claimOf, settlementsOf } from "../contract/under_test.ts";

testsOnStack({ poolSize: 20 }, (test) => {
  test("an idempotency key of an uncommitted dispatch makes the second one wait and return its id", async (stack) => {
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      const [first] = await other<{ id: string }[]>`
        select public.messenger_dispatch('Count', '{"n":1}', queue => 'count', idempotency_key => 'k')::text as id`;
      const second = stack.dispatch({ type: "Count", payload: { n: 1 }, idempotencyKey: "k" });
      await untilBlocked(stack.sql);
      await other`commit`;
      assertEquals(await second, [first?.id]);
    } finally {
      await other.end();
    }
  });

  test("an idempotency key of a dispatch that rolls back is free for the one that waited", async (stack) => {
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select public.messenger_dispatch('Count', '{"n":1}', idempotency_key => 'k')`;
      const second = stack.dispatch({ type: "Count", payload: { n: 1 }, idempotencyKey: "k" });
      await untilBlocked(stack.sql);
      await other`rollback`;
      const ids = await second;
      const rows = await stack.sql`select id from public.messenger_messages`;
      assertEquals(rows.map(({ id }) => id), ids);
    } finally {
      await other.end();
    }
  });

  const twins = (stack: TestStack, other: postgres.Sql) => ({
    first: async () => {
      const [row] = await other<{ id: string }[]>`
        select public.messenger_dispatch('Count', '{"n":1}', dedupe_key => 'k')::text as id`;
      return row?.id;
    },
    second: () =>
      new SupabaseTransport(stack.client).send([
        { type: "Count", payload: { n: 2 }, dedupeKey: "k" },
      ]),
  });

  test("two dispatches with one dedupe key: the second waits for the first's commit, and returns its id", async (stack) => {
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      const { first, second } = twins(stack, other);
      await other`begin`;
      const id = await first();
      const answer = second();
      await untilBlocked(stack.sql);
      await other`commit`;
      assertEquals(await answer, [id]);
      const rows = await stack.sql`select id from public.messenger_messages`;
      assertEquals(rows.map(({ id }) => id), [id]);
    } finally {
      await other.end();
    }
  });

  test("a dedupe key of a dispatch that rolls back is free for the one that waited", async (stack) => {
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      const { first, second } = twins(stack, other);
      await other`begin`;
      await first();
      const answer = second();
      await untilBlocked(stack.sql);
      await other`rollback`;
      const rows = await answer;
      const [kept] = await stack.sql`select id, payload from public.messenger_messages`;
      assertEquals({ ...kept }, { id: rows[0], payload: { n: 2 } });
    } finally {
      await other.end();
    }
  });

  test("200 dispatches with one dedupe key at once, while it is claimed and handled: each id was a message", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const message = { type: "Count", payload: { n: 1 }, dedupeKey: "k" };
    const drained = drain(stack, 5);
    const answers = await Promise.all(Array.from({ length: 200 }, () => transport.send([message])));
    const handledIds = [...await drained, ...await drain(stack, 5)];
    assertEquals(
      [...new Set(answers.flat())].toSorted(),
      handledIds.toSorted(),
    );
  });

  test("two replacing dispatches at once: the second waits for the first, and its payload stays", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const [id] = await transport.send([
      { type: "Count", payload: { n: 0 }, dedupeKey: "k", dedupe: "replace" },
    ]);
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`
        select public.messenger_dispatch('Count', '{"n":1}', dedupe_key => 'k', dedupe => 'replace')`;
      const second = transport.send([
        { type: "Count", payload: { n: 2 }, dedupeKey: "k", dedupe: "replace" },
      ]);
      await untilBlocked(stack.sql);
      // No worker takes a message whose payload is being replaced.
      assertEquals((await transport.claim(claimOf())).messages, []);
      await other`commit`;
      assertEquals(await second, [id]);
      const rows = await stack.sql`select id, payload from public.messenger_messages`;
      assertEquals(rows.map((row) => ({ ...row })), [{ id, payload: { n: 2 } }]);
    } finally {
      await other.end();
    }
  });

  test("a replacing dispatch that meets a claim makes a message of its own", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const message = {
      type: "Count",
      payload: { n: 1 },
      dedupeKey: "k",
      dedupe: "replace",
    } as const;
    const [first] = await transport.send([message]);
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select public.messenger_claim(gen_random_uuid())`;
      const answer = transport.send([{ ...message, payload: { n: 2 } }]);
      await untilBlocked(stack.sql);
      await other`commit`;
      const [second] = await answer;
      const rows = await stack.sql`select id, payload from public.messenger_messages order by id`;
      assertEquals(rows.map((row) => ({ ...row })), [
        { id: first, payload: { n: 1 } },
        { id: second, payload: { n: 2 } },
      ]);
    } finally {
      await other.end();
    }
  });

  test("200 replacing dispatches at once, while workers drain: the last payload is handled, and each id was a message", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const send = (n: number) =>
      transport.send([{ type: "Count", payload: { n }, dedupeKey: "k", dedupe: "replace" }]);
    const drained = drain(stack, 5);
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => send(n)));
    const last = await send(200);
    const [row] = await stack.sql`select payload from public.messenger_messages where id = ${
      last[0] ?? ""
    }`;
    if (row) assertEquals(row.payload, { n: 200 });
    const handledIds = [...await drained, ...await drain(stack, 5)];
    assertEquals([...new Set([...answers.flat(), ...last])].toSorted(), handledIds.toSorted());
  });

  const replacing = (key: string, n: number) =>
    ({ type: "Count", payload: { n }, dedupeKey: key, dedupe: "replace" }) as const;

  test("messages that are given back unstarted wait for no open dispatch that has taken the key of one, and the others have theirs again", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const keys = ["a", "b", "c"];
    const ids = await transport.send(keys.map((key) => replacing(key, 1)));
    const { messages } = await transport.claim(claimOf());
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      const [row] = await other<{ id: string }[]>`select public.messenger_dispatch(
        'Count', '{"n":2}', dedupe_key => 'b', dedupe => 'replace')::text as id`;
      // It returns while the dispatch is open.
      await transport.settle(settlementsOf(messages, released));
      await other`commit`;
      assertEquals(
        await transport.send(keys.map((key) => replacing(key, 3))),
        ids.with(1, String(row?.id)),
      );
      const rows = await stack.sql`
        select id, payload ->> 'n' as n from public.messenger_messages order by id`;
      assertEquals(
        rows.map(({ id, n }) => [id, n]),
        [[ids[0], "3"], [ids[1], "1"], [ids[2], "3"], [row?.id, "3"]],
      );
    } finally {
      await other.end();
    }
  });

  test("200 replacing dispatches at once, while two workers give back what they have claimed: the last payload waits under the key", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const send = (n: number) => transport.send([replacing("k", n), replacing("l", n)]);
    let open = true;
    const worker = async () => {
      while (open) {
        const { messages } = await transport.claim(claimOf());
        await transport.settle(settlementsOf(messages, released));
      }
    };
    const workers = [worker(), worker()];
    await Promise.all(Array.from({ length: 200 }, (_, n) => send(n)));
    open = false;
    await Promise.all(workers);
    const last = await send(200);
    assertEquals(await send(201), last);
    const rows = await stack.sql`select id, payload ->> 'n' as n from public.messenger_messages
      where dedupe_key is not null order by dedupe_key`;
    assertEquals(rows.map(({ id, n }) => [id, n]), last.map((id) => [id, "201"]));
  });
});
