/** Claims, settles and redrives of many sessions at once, which one session cannot show. */

import { assertEquals } from "@std/assert";
import postgres from "postgres";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { testsOnStack } from "../support/stack.ts";
import { claimOf, drain, untilBlocked } from "../support/racing.ts";

testsOnStack({ poolSize: 20 }, (test) => {
  test("20 claimers over 10,000 messages: each is handled exactly once, none is lost", async (stack) => {
    const sent: string[] = [];
    for (let batch = 0; batch < 10; batch++) {
      sent.push(
        ...await stack.dispatch(
          Array.from(
            { length: 1000 },
            (_, n) => ({ type: "Count", payload: { n }, priority: n % 3 }),
          ),
        ),
      );
    }
    // Large claims continue behind each other's front, small ones scan from the head.
    const sizes = Array.from({ length: 20 }, (_, n) => n % 2 === 0 ? 50 : 150);
    const seen = (await Promise.all(sizes.map((size) => drain(stack, size)))).flat();
    assertEquals([seen.length, new Set(seen).size], [10_000, 10_000]);
    assertEquals(seen.toSorted(), sent.toSorted());
    assertEquals(await stack.count(), 0);
  });

  test("no worker claims a message of an uncommitted dispatch until it commits", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select public.messenger_dispatch('Count', '{"n":1}')`;
      assertEquals((await transport.claim(claimOf(10))).messages, []);
      await other`commit`;
      assertEquals((await transport.claim(claimOf(10))).messages.length, 1);
    } finally {
      await other.end();
    }
  });

  test("a claim passes over rows that another session has locked, and takes the others", async (stack) => {
    const [first, second] = await stack.dispatch([1, 2].map((n) => ({
      type: "Count",
      payload: { n },
    })));
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select from public.messenger_messages where id = ${first ?? ""} for update`;
      const { messages } = await new SupabaseTransport(stack.client).claim(claimOf(10));
      assertEquals(messages.map(({ id }) => id), [second]);
      await other`rollback`;
    } finally {
      await other.end();
    }
  });

  test("a repeated claim waits for who writes its messages, and finds them where they are then", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const [id] = await stack.dispatch({ type: "Count", payload: { n: 1 } });
    const request = claimOf(10);
    await transport.claim(request);
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`update public.messenger_messages set leased_until = now() + interval '1 hour'`;
      const again = transport.claim({ ...request, repeated: true });
      await untilBlocked(stack.sql);
      await other`commit`;
      assertEquals((await again).messages.map((message) => message.id), [id]);
      const [row] = await stack.sql`
        select leased_until < now() + interval '30 minutes' as is_new from public.messenger_messages`;
      assertEquals(row?.is_new, true);
    } finally {
      await other.end();
    }
  });

  test("a settle call leaves a lease that another session has locked to the sweep, which finds it empty", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const leases = () => stack.sql`select token from messenger.leases`;
    await stack.dispatch({ type: "Count", payload: { n: 1 } });
    const { messages } = await transport.claim(claimOf(10));
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select from messenger.leases for update`;
      await transport.settle(messages.map(({ id, leaseToken }) => ({
        id,
        leaseToken,
        outcome: { kind: "handled" },
      })));
      await other`rollback`;
      assertEquals((await leases()).length, 1);
      await stack.sql`update messenger.leases set leased_until = now()`;
      assertEquals((await transport.claim({ ...claimOf(10), sweep: true })).crashed, []);
      assertEquals((await leases()).length, 0);
    } finally {
      await other.end();
    }
  });

  test("a sweep skips a message that another session has locked, and its lease still names it", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const sweep = async () =>
      (await transport.claim({ ...claimOf(10), sweep: true })).crashed.map(({ id }) => id);
    const [first, second] = await stack.dispatch([1, 2].map((n) => ({
      type: "Count",
      payload: { n },
    })));
    await transport.claim({ ...claimOf(10), leaseMs: 1 });
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select from public.messenger_messages where id = ${first ?? ""} for update`;
      assertEquals(await sweep(), [second]);
      await other`rollback`;
      assertEquals(await sweep(), [first]);
    } finally {
      await other.end();
    }
  });

  test("a message that is just being claimed is cancelled once the claim has committed", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const ids = await stack.dispatch({ type: "Count", payload: { n: 1 } });
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      const token = crypto.randomUUID();
      await other`select public.messenger_claim(${token})`;
      const cancel = transport.cancel({ ids });
      await untilBlocked(stack.sql);
      await other`commit`;
      assertEquals(await cancel, { cancelled: 0, running: 1 });
      assertEquals(await transport.extendLeases([{ token, ids }], 60_000), {
        lost: [],
        cancelled: ids,
      });
    } finally {
      await other.end();
    }
  });

  test("a cancel passes over what another session has locked, and the next tick cancels that", async (stack) => {
    const ids = await stack.dispatch([1, 2].map((n) => ({ type: "Count", payload: { n } })));
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select from public.messenger_messages where id = ${ids[1] ?? ""} for update`;
      const { cancelled, running } = await new SupabaseTransport(stack.client).cancel({ ids });
      assertEquals([cancelled, running], [1, 1]);
      await other`rollback`;
      assertEquals((await stack.tick()).messages.handled, 0);
      const rows = await stack.sql`select reason from public.messenger_failed_messages`;
      assertEquals(rows.map(({ reason }) => reason), ["cancelled", "cancelled"]);
    } finally {
      await other.end();
    }
  });

  test("two redrives of the same dead letters at once enqueue each of them once", async (stack) => {
    await stack.sql`
      insert into public.messenger_failed_messages (id, type, payload, queue, reason, created_at)
      select n, 'Count', '{"n":1}', 'count', 'exhausted', now() from generate_series(1, 2000) n`;
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => stack.client.rpc("messenger_redrive", { type: "Count" })),
    );
    assertEquals(answers.map(({ error }) => error), [null, null, null, null]);
    assertEquals(answers.reduce((sum, { data }) => sum + data.done, 0), 2000);
    const [row] = await stack.sql`
      select (select count(*)::int from public.messenger_messages) as waiting,
        (select count(*)::int from public.messenger_failed_messages) as failed`;
    assertEquals({ ...row }, { waiting: 2000, failed: 0 });
  });
});
