/** SQL functions of handlers that wait, meet each other, fail, or whose responses are lost. */

import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import postgres from "postgres";
import { z } from "zod";
import {
  type BackoffOptions,
  defineMessage,
  ExponentialBackoffRetryStrategy,
  type MessageDefinition,
  RetryManager,
  type Transport,
  TransportError,
} from "../../supabase/functions/_shared/symphony/index.ts";
import { MessageBus } from "../../supabase/functions/_shared/symphony/bus/bus.ts";
import { createRegistry } from "../../supabase/functions/_shared/symphony/message/registry.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { SupabaseTransport } from "../../supabase/functions/_shared/symphony/transport/supabase.ts";
import { ProcessLock } from "../../supabase/functions/_shared/symphony/worker/run/process-lock.ts";
import { runWorker } from "../../supabase/functions/_shared/symphony/worker/worker.ts";
import { sized } from "../support/sizes.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

/** Messages of the test of exact counts. */
const MESSAGES = sized(1_000, 20_000);
/** Timeout of a function that outlives it. */
const TIMEOUT_MS = 300;

/** Runs a worker on a stack for a time. */
function work(
  stack: TestStack,
  messages: readonly MessageDefinition[],
  options: { readonly transport?: Transport; readonly leaseMs?: number; readonly budgetMs: number },
) {
  const transport = options.transport ?? new SupabaseTransport(stack.client);
  const log = createLogger({ level: "silent" });
  const registry = createRegistry(messages);
  const strategy = new ExponentialBackoffRetryStrategy({ maxRetries: 20, delay: 20 });
  const retry = new RetryManager({ strategy, transport, registry, log });
  const bus = new MessageBus({ registry, transport });
  return runWorker({
    ...{ transport, bus, retry, log, supabase: stack.client, lock: new ProcessLock() },
    ...{ batchSize: 100, concurrency: 20, leaseMs: options.leaseMs ?? 60_000 },
    budgetMs: options.budgetMs,
  });
}

/**
 * A worker's way to the database that loses an answer now and then, and breaks off for good after some calls, as if the
 * worker were killed.
 */
function mortal(transport: Transport, lifetime: number): Transport {
  let calls = 0;
  const broken = () => new TransportError("test", "cut off", true);
  return new Proxy(transport, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        if (++calls > lifetime) throw broken();
        const answer = await method.apply(target, args);
        if (calls > lifetime || Math.random() < 0.05) throw broken();
        return answer;
      };
    },
  });
}

testsOnStack({ poolSize: 20 }, (test) => {
  test("a function that waits or fails holds up no other message", async (stack) => {
    await stack.sql.unsafe(`
      drop table if exists public.test_parents, public.test_children, public.test_pairs cascade;
      create table public.test_parents (id integer primary key);
      create table public.test_children (
        parent integer references public.test_parents deferrable initially deferred
      );
      create table public.test_pairs (id integer primary key, times integer not null default 0);
      insert into public.test_pairs (id) values (1), (2);
      create or replace function public.test_orphan() returns void language sql
        as 'insert into public.test_children values (1)';
      create or replace function public.test_wait() returns text language sql
        as $$select pg_advisory_xact_lock(20); select 'waited'$$;
      create or replace function public.test_pair(first integer, second integer) returns void language plpgsql as $$
      begin
        update public.test_pairs set times = times + 1 where id = first;
        perform pg_sleep(0.3);
        update public.test_pairs set times = times + 1 where id = second;
      end $$;
      grant select, insert, update on public.test_parents, public.test_children, public.test_pairs to service_role;`);
    const seen: unknown[] = [];
    const Effect = defineMessage({
      type: "Effect",
      schema: z.object({ name: z.string(), args: z.record(z.string(), z.unknown()) }),
      handler: async ({ name, args }, ctx) => void seen.push(await ctx.effect(name, args)),
    });
    const Plain = defineMessage({ type: "Plain", schema: z.unknown(), handler: () => {} });
    const send = (type: string, payloads: unknown[]) =>
      new SupabaseTransport(stack.client).send(payloads.map((payload) => ({ type, payload })));
    const holder = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await holder`begin`;
      await holder`select pg_advisory_xact_lock(20)`;
      await send("Effect", [
        { name: "test_wait", args: {} },
        { name: "test_orphan", args: {} },
        { name: "test_pair", args: { first: 1, second: 2 } },
        { name: "test_pair", args: { first: 2, second: 1 } },
      ]);
      await send("Plain", Array.from({ length: 200 }, (_, index) => index));
      const running = work(stack, [Effect, Plain], { budgetMs: 60_000 });
      // All but the one that waits have ended: of the violation and the deadlock, each by its own rules.
      await eventually(
        async () =>
          await stack.sql<{ type: string }[]>`
          select payload ->> 'name' as type from public.messenger_messages`,
        (rows) => rows.length === 1 && rows[0]?.type === "test_wait",
      );
      await holder`rollback`;
      await running;
    } finally {
      await holder.end();
    }
    assertEquals(seen.filter((one) => one === "waited"), ["waited"]);
    const pairs = await stack.sql`select times from public.test_pairs`;
    assertEquals(pairs.map(({ times }) => times), [2, 2]);
    assertEquals((await stack.sql`select from public.test_children`).length, 0);
    const failed = await stack.sql<{ name: string; error: string }[]>`
      select payload ->> 'name' as name, error from public.messenger_failed_messages`;
    assertEquals(failed.map(({ name }) => name), ["test_orphan"]);
    assert(failed[0]?.error.includes("foreign key"));
  });

  test("a function that outlives its timeout runs once, and the retry or the last attempt gets its result", async (stack) => {
    await stack.sql.unsafe(`
      drop table if exists public.test_slow;
      create table public.test_slow (n integer not null);
      create or replace function public.test_slowly(n integer) returns integer language sql as
        'select pg_advisory_xact_lock(21); insert into public.test_slow values (n); select n';
      grant select, insert on public.test_slow to service_role;`);
    const seen: unknown[] = [];
    const starts: number[] = [];
    // Without a grace, the attempt fails while the function still runs.
    const slow = (type: string, retry?: BackoffOptions) =>
      defineMessage({
        type,
        schema: z.number(),
        stopGrace: 0,
        handler: async (n, ctx) => {
          starts.push(n);
          const options = { timeout: TIMEOUT_MS, ...(retry && { retry }) } as const;
          seen.push(await ctx.effect("test_slowly", { n }, options));
        },
      });
    const Slow = slow("Slow");
    const Final = slow("Final", { maxRetries: 0 });
    const Plain = defineMessage({ type: "Plain", schema: z.unknown(), handler: () => {} });
    await new SupabaseTransport(stack.client).send([
      { type: "Slow", payload: 1 },
      { type: "Final", payload: 2 },
      ...Array.from({ length: 50 }, (_, payload) => ({ type: "Plain", payload })),
    ]);
    const holder = postgres(stack.adminDbUrl, { max: 1 });
    try {
      await holder`begin`;
      await holder`select pg_advisory_xact_lock(21)`;
      const running = work(stack, [Slow, Final, Plain], { budgetMs: 30_000 });
      await eventually(
        () =>
          stack.sql`select from pg_locks where locktype = 'advisory' and not granted
          and database = (select oid from pg_database where datname = current_database())`,
        (waiting) => waiting.length === 2,
      );
      // Timers of one process end in order: those of both functions began before.
      await delay(TIMEOUT_MS + 1);
      // The other messages are settled before the functions end.
      await eventually(() => stack.count(), (n) => n === 2);
      assertEquals((await stack.sql`select from public.test_slow`).length, 0);
      await holder`rollback`;
      await running;
    } finally {
      await holder.end();
    }
    assertEquals(seen.toSorted(), [1, 2]);
    const startsOf = (n: number) => starts.filter((start) => start === n).length;
    assertEquals([startsOf(1) >= 2, startsOf(2)], [true, 1]);
    assertEquals((await stack.sql`select from public.test_slow`).length, 2);
    assertEquals((await stack.sql`select from public.messenger_failed_messages`).length, 0);
  });

  test(`${MESSAGES} effects and dispatches are exact under kills and lost responses`, async (stack) => {
    await stack.sql.unsafe(`
      drop table if exists public.test_booked;
      create table public.test_booked (n integer not null);
      create or replace function public.test_book(n integer) returns integer language sql
        as 'insert into public.test_booked values (n); select n';
      grant select, insert on public.test_booked to service_role;`);
    const Order = defineMessage({
      type: "Order",
      schema: z.number(),
      handler: async (n, ctx) => {
        await ctx.dispatch(Note, { n, from: "handler" });
        await ctx.effect("test_book", { n });
        await ctx.step("note", () => ctx.dispatch(Note, { n, from: "step" }));
        if (n % 10 === 0 && ctx.attempt === 1) throw new Error("no luck");
      },
    });
    // Stays in its queue, to be counted.
    const Note = defineMessage({
      type: "Note",
      schema: z.object({ n: z.number(), from: z.string() }),
      queue: "notes",
      handler: () => {},
    });
    const direct = new SupabaseTransport(stack.client);
    await stack.sql`insert into public.messenger_queues (name, paused) values ('notes', true)
      on conflict (name) do update set paused = true`;
    for (let from = 0; from < MESSAGES; from += 1_000) {
      const count = Math.min(1_000, MESSAGES - from);
      await direct.send(
        Array.from({ length: count }, (_, index) => ({ type: "Order", payload: from + index })),
      );
    }
    const left = async () => {
      const [row] = await stack.sql<[{ count: number }]>`
        select count(*)::integer as count from public.messenger_messages where type = 'Order'`;
      return row.count;
    };
    for (let life = 0; life < 60 && await left() > 0; life++) {
      // The last lives are long, so that the test ends.
      const lifetime = life < 12 ? 20 + Math.random() * MESSAGES / 2 : Infinity;
      const transport = mortal(new SupabaseTransport(stack.client), lifetime);
      await work(stack, [Order, Note], { transport, leaseMs: 2_000, budgetMs: 20_000 })
        .catch(() => {});
    }
    assertEquals(await left(), 0);
    const count = async (query: postgres.PendingQuery<{ count: number; distinct: number }[]>) =>
      (await query).map(({ count, distinct }) => [count, distinct])[0];
    const exact = [MESSAGES, MESSAGES];
    const failed = await stack.sql`select id from public.messenger_failed_messages`;
    assertEquals(failed.length, 0);
    assertEquals(
      await count(
        stack.sql`select count(*)::integer as count, count(distinct n)::integer as distinct
        from public.test_booked`,
      ),
      exact,
    );
    for (const from of ["handler", "step"]) {
      assertEquals(
        await count(stack.sql`
          select count(*)::integer as count, count(distinct payload ->> 'n')::integer as distinct
          from public.messenger_messages where type = 'Note' and payload ->> 'from' = ${from}`),
        exact,
      );
    }
  });
});
