/** Groups and limits under many workers, dispatches and crashes at once, which one session cannot show. */

import { assert, assertEquals } from "@std/assert";
import postgres from "postgres";
import type { Envelope } from "../../supabase/functions/_shared/symphony/index.ts";
import {
  handled,
  released,
  type Settlement,
} from "../../supabase/functions/_shared/symphony/message/outcome.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

const LEASE_MS = 700;

const settlementOf = (envelope: Envelope, outcome: Settlement["outcome"]): Settlement => ({
  id: envelope.id,
  leaseToken: envelope.leaseToken,
  grouped: envelope.groupKey !== null,
  outcome,
});

/** Workers that handle their claims, and the violations that they watch for. */
class Watch {
  readonly running = new Map<string, number>();
  readonly done = new Map<string, number[]>();
  most = 0;
  kills = 0;

  constructor(private readonly keyOf: (envelope: Envelope) => string) {}

  start(envelope: Envelope): void {
    const key = this.keyOf(envelope);
    const running = (this.running.get(key) ?? 0) + 1;
    this.running.set(key, running);
    this.most = Math.max(this.most, running);
  }

  stop(envelope: Envelope, outcome: Settlement["outcome"]): void {
    const key = this.keyOf(envelope);
    this.running.set(key, (this.running.get(key) ?? 0) - 1);
    if (outcome.kind !== "handled") return;
    const done = this.done.get(key) ?? [];
    this.done.set(key, [...done, (envelope.payload as { n: number }).n]);
  }
}

/** Claims, and settles at random as handled, retried or given back, or dies, until nothing is left. */
async function worker(stack: TestStack, watch: Watch, finished: () => boolean): Promise<void> {
  const transport = new SupabaseTransport(stack.client);
  let settlements: Settlement[] = [];
  while (!finished() || settlements.length > 0) {
    const { messages, crashed } = await transport.settleAndClaim(settlements, {
      token: crypto.randomUUID(),
      maxMessages: 12,
      leaseMs: LEASE_MS,
    });
    messages.forEach((envelope) => watch.start(envelope));
    await aMoment();
    const dies = messages.length > 0 && Math.random() < 0.02;
    if (dies) watch.kills++;
    settlements = [
      ...crashed.map((envelope) =>
        settlementOf(envelope, { kind: "retry", delayMs: 0, retryCount: 0, errors: [] })
      ),
      ...messages.map((envelope) => {
        const outcome = outcomeAtRandom();
        watch.stop(envelope, dies ? released : outcome);
        return settlementOf(envelope, outcome);
      }),
    ];
    // Nothing is written of a worker that died; its leases run out.
    if (dies) settlements = settlements.slice(0, crashed.length);
  }
}

function outcomeAtRandom(): Settlement["outcome"] {
  const dice = Math.random();
  if (dice < 0.1) return { kind: "retry", delayMs: 20, retryCount: 1, errors: [] };
  return dice < 0.15 ? released : handled;
}

async function isEmpty(stack: TestStack): Promise<boolean> {
  const [left] = await stack.sql`select exists (select from public.messenger_messages) as any`;
  return left?.any === false;
}

async function drain(stack: TestStack, watch: Watch, dispatched: Promise<unknown>): Promise<void> {
  let finished = false;
  const workers = Array.from({ length: 8 }, () => worker(stack, watch, () => finished));
  await dispatched;
  while (!(await isEmpty(stack))) await aMoment();
  finished = true;
  await Promise.all(workers);
}

/** The time that a handler takes. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 10));

testsOnStack({ poolSize: 12 }, (test) => {
  test("8 workers keep the order of 20 groups through retries, kills and dispatches", async (stack) => {
    const watch = new Watch(({ groupKey }) => groupKey ?? "");
    const groups = Array.from({ length: 20 }, (_, n) => `group ${n}`);
    // Each group is written by one caller after another, now one by one, now many in a call.
    const dispatched = Promise.all(groups.map(async (groupKey) => {
      for (let n = 0; n < 40;) {
        const size = n % 3 === 0 ? 5 : 1;
        const body = Array.from({ length: size }, () => ({
          type: "Count",
          payload: { n: n++ },
          groupKey,
        }));
        await stack.dispatch(body);
      }
    }));
    await drain(stack, watch, dispatched);
    for (const groupKey of groups) {
      const done = watch.done.get(groupKey) ?? [];
      assertEquals(done, done.toSorted((a, b) => a - b), groupKey);
      assert(done.length >= 40, `${groupKey}: ${done.length}`);
    }
    assertEquals(watch.most, 1, `${watch.kills} kills`);
  });

  test("a concurrency of three is never four under 8 workers, and is not stuck by kills", async (stack) => {
    await stack.sql`insert into public.messenger_queues (name, concurrency) values ('narrow', 3)`;
    const watch = new Watch(({ queue }) => queue);
    const dispatched = stack.dispatch(
      Array.from({ length: 300 }, (_, n) => ({ type: "Count", payload: { n }, queue: "narrow" })),
    );
    await drain(stack, watch, dispatched);
    assert(watch.most <= 3, `${watch.most} at once`);
    assertEquals((watch.done.get("narrow") ?? []).length >= 300, true);
  });

  test("a dispatch that has not committed holds up no other message of its group", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const claim = () =>
      transport.claim({ token: crypto.randomUUID(), maxMessages: 10, leaseMs: 60_000 });
    await stack.dispatch([1, 2].map((n) => ({ type: "Count", payload: { n }, groupKey: "g" })));
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select public.messenger_dispatch('Count', '{"n":3}', group_key => 'g')`;
      const first = await claim();
      await transport.settle(first.messages.map((message) => settlementOf(message, handled)));
      const second = await claim();
      await transport.settle(second.messages.map((message) => settlementOf(message, handled)));
      assertEquals([first, second].map(({ messages }) => messages.length), [1, 1]);
      await other`commit`;
    } finally {
      await other.end();
    }
    assertEquals((await claim()).messages.map(({ payload }) => payload), [{ n: 3 }]);
  });

  test("a message is not blocked behind one that is just leaving", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const claim = () =>
      transport.claim({ token: crypto.randomUUID(), maxMessages: 10, leaseMs: 60_000 });
    await stack.dispatch({ type: "Count", payload: { n: 1 }, groupKey: "g" });
    const { messages } = await claim();
    await stack.dispatch({ type: "Count", payload: { n: 2 }, groupKey: "g" });
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select public.messenger_claim(gen_random_uuid())`;
      const settled = transport.settle(messages.map((message) => settlementOf(message, handled)));
      await eventually(
        () =>
          stack.sql`
            select from pg_locks l join pg_database d on d.oid = l.database
            where d.datname = current_database() and l.locktype = 'advisory' and not l.granted`,
        (waiting) => waiting.length > 0,
      );
      await other`commit`;
      assertEquals(await settled, { stale: [] });
    } finally {
      await other.end();
    }
    assertEquals((await claim()).messages.map(({ payload }) => payload), [{ n: 2 }]);
  });

  test("a message that is removed in SQL unblocks its group at the commit", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const claim = () =>
      transport.claim({ token: crypto.randomUUID(), maxMessages: 10, leaseMs: 60_000 });
    const [first = ""] = await stack.dispatch(
      [1, 2].map((n) => ({ type: "Count", payload: { n }, groupKey: "g" })),
    );
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`delete from public.messenger_messages where id = ${first}`;
      assertEquals((await claim()).messages, []);
      await other`commit`;
    } finally {
      await other.end();
    }
    assertEquals((await claim()).messages.map(({ payload }) => payload), [{ n: 2 }]);
  });

  test("a message that was locked when its turn came is opened by the next sweep", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const claim = (sweep: boolean) =>
      transport.claim({ token: crypto.randomUUID(), maxMessages: 10, leaseMs: 60_000, sweep });
    const [, second = ""] = await stack.dispatch(
      [1, 2].map((n) => ({ type: "Count", payload: { n }, groupKey: "g" })),
    );
    const { messages } = await claim(false);
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`select from public.messenger_messages where id = ${second} for update`;
      // It waits for no other session.
      await transport.settle(messages.map((message) => settlementOf(message, handled)));
      assertEquals((await claim(true)).messages, []);
      await other`rollback`;
    } finally {
      await other.end();
    }
    assertEquals((await claim(true)).messages.map(({ payload }) => payload), [{ n: 2 }]);
  });

  test("a cancel that meets a removal under way passes over the group, and a sweep cancels it", async (stack) => {
    const transport = new SupabaseTransport(stack.client);
    const sweep = () =>
      transport.claim({ token: crypto.randomUUID(), maxMessages: 0, leaseMs: 1, sweep: true });
    const dispatch = async (n: number) =>
      (await stack.dispatch({ type: "Count", payload: { n }, groupKey: "g" }))[0] ?? "";
    const [first, second] = [await dispatch(1), await dispatch(2)];
    const other = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await other`begin`;
      await other`delete from public.messenger_messages where id = ${first}`;
      assertEquals(await transport.cancel({ type: "Count" }), { cancelled: 0, running: 2 });
      await other`rollback`;
      await sweep();
      // It holds the lock of the group, and not the message.
      const [third, free] = [await dispatch(3), await dispatch(4)];
      await stack.sql`update public.messenger_messages set group_key = null where id = ${free}`;
      await other`begin`;
      await other`select pg_advisory_xact_lock(l.lock_key)
        from messenger.group_locks('{count}', '{g}') as l`;
      assertEquals(await transport.cancel({ ids: [third] }), { cancelled: 0, running: 1 });
      assertEquals(await transport.cancel({ ids: [free] }), { cancelled: 1, running: 0 });
      await other`rollback`;
      await sweep();
      const dead = await stack.sql`select id::text from public.messenger_failed_messages
        where reason = 'cancelled' order by id`;
      assertEquals(dead.map(({ id }) => id), [first, second, third, free]);
      assertEquals(await stack.count(), 0);
      assertEquals((await stack.sql`select from messenger.cancel_notes`).length, 0);
    } finally {
      await other.end();
    }
  });
});
