/** The way through the outbox and a broker in times of trouble: nothing is lost, and effects are written once. */

import { assert, assertEquals } from "@std/assert";
import { OutboxCalls } from "../../supabase/functions/_shared/symphony/database/outbox-calls.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { runRelay } from "../../supabase/functions/_shared/symphony/worker/relay/relay.ts";
import { claimOf } from "../contract/under_test.ts";
import { Broker } from "../support/broker.ts";
import { brokered, leavingHome, outboxOf } from "../support/brokered.ts";
import { define } from "../support/definitions.ts";
import { testsOnStack, type TestStack } from "../support/stack.ts";

const silent = createLogger({ level: "silent" });

/** Lets a relay run until nothing is due. @param outbox by default that of the transport `events` */
function relay(
  stack: TestStack,
  broker: Broker,
  outbox: Pick<OutboxCalls, "claim" | "finish"> = new OutboxCalls(stack.client, "events"),
) {
  const life = { ending: AbortSignal.abort(), stop: new AbortController().signal };
  const endsAt = performance.now() + 20_000;
  return runRelay({ name: "events", engine: broker, outbox, log: silent }, { ...life, endsAt });
}

/** Puts a clock that a test moves in the place of the database's. */
async function movingClock({ sql }: TestStack) {
  await sql.unsafe(`
    create table if not exists public.test_ahead (ahead interval not null);
    truncate public.test_ahead;
    insert into public.test_ahead values ('0');
    grant select on public.test_ahead to service_role;
    create or replace function public.messenger_now() returns timestamptz
    language sql stable set search_path = ''
    as $$ select pg_catalog.now() + (select a.ahead from public.test_ahead a) $$;
  `).simple();
  return async (by: string) => {
    await sql`update public.test_ahead set ahead = ahead + ${by}::interval where true`;
  };
}

/** Orders and their events, each pair in one transaction; every fifth one is rolled back. */
async function placeOrders({ sql }: TestStack, from: number, to: number): Promise<void> {
  for (let number = from; number < to; number++) {
    await sql.begin(async (sql) => {
      await sql`insert into public.test_orders values (${number})`;
      await sql`select public.messenger_dispatch('T', ${sql.json(number)},
        group_key => ${`customer ${number % 3}`})`;
      if (number % 5 === 0) throw new Error("rolled back");
    }).catch((error) => assertEquals(error.message, "rolled back"));
  }
}

testsOnStack({}, (test) => {
  test("each committed order's event arrives in the order of its group, after ten minutes and a day without the broker", async (stack) => {
    const move = await movingClock(stack);
    await stack.sql`create table if not exists public.test_orders (number integer)`;
    await stack.sql`truncate public.test_orders`;
    const broker = new Broker();
    const events: number[] = [];
    const T = define((payload) => void events.push(payload as number));
    const { tick, events: logged } = await brokered(stack, broker, [T]);

    await placeOrders(stack, 1, 20);
    broker.isAway = true;
    await tick(300);
    await move("10 minutes");
    await placeOrders(stack, 20, 40);
    await tick(300);
    assertEquals([events, logged().includes("transport_away")], [[], true]);
    await move("1 day");
    await placeOrders(stack, 40, 60);
    broker.isAway = false;
    // The first row probes the broker, the rest follows.
    await tick();

    const committed = await stack.sql<{ number: number }[]>`
      select number from public.test_orders order by number`;
    assertEquals(events.toSorted((a, b) => a - b), committed.map(({ number }) => number));
    for (const customer of [0, 1, 2]) {
      const own = events.filter((number) => number % 3 === customer);
      assertEquals(own, own.toSorted((a, b) => a - b));
    }
    assertEquals((await outboxOf(stack)).waiting, []);
  });

  test("what a killed relay had published is published again, and the copy is dropped", async (stack) => {
    const move = await movingClock(stack);
    const broker = new Broker();
    const runs: unknown[] = [];
    const Home = define(() => {}, { type: "Home" });
    const T = define(async (payload, { dispatch }) => {
      runs.push(payload);
      await dispatch(Home, payload);
    });
    const { bus, tick } = await brokered(stack, broker, [T, Home]);
    await bus.dispatchAll(
      [1, 2, 3].map((payload) => ({ type: "T", payload, options: { groupKey: "g" } })),
    );
    const calls = new OutboxCalls(stack.client, "events");
    await relay(stack, broker, {
      claim: (...args) => calls.claim(...args),
      finish: () => Promise.reject(new Error("killed")),
    });
    assertEquals([broker.confirmed.length, (await outboxOf(stack)).sent], [3, []]);
    await move("31 seconds");
    await tick();
    assertEquals(broker.confirmed.map(({ body }) => JSON.parse(body).repeated), [
      ...[undefined, undefined, undefined],
      ...[true, true, true],
    ]);
    assertEquals([runs, broker.size, (await outboxOf(stack)).waiting], [[1, 2, 3], 0, []]);
    const [row] = await stack
      .sql`select count(*)::int as handled from messenger.handled_deliveries`;
    assertEquals(row?.handled, 3);
  });

  test("confirms that are lost with the connection cost a repetition, and no message", async (stack) => {
    const move = await movingClock(stack);
    const broker = new Broker();
    const runs: number[] = [];
    const T = define((payload) => void runs.push(payload as number));
    const { bus, tick } = await brokered(stack, broker, [T]);
    const numbers = Array.from({ length: 40 }, (_, number) => number);
    await bus.dispatchAll(numbers.map((payload) => ({ type: "T", payload })));
    broker.breaksAfter = 5;
    await relay(stack, broker);
    await move("10 seconds");
    await tick();
    assertEquals(runs.toSorted((a, b) => a - b), numbers);
    assertEquals([broker.size, (await outboxOf(stack)).waiting], [0, []]);
  });

  test("two relays at once publish each message once, and keep the order of its group", async (stack) => {
    const broker = new Broker();
    const T = define(() => {});
    const { bus } = await brokered(stack, broker, [T]);
    const messages = Array.from({ length: 600 }, (_, payload) => ({
      ...{ type: "T", payload },
      options: { groupKey: `g${payload % 20}` },
    }));
    await bus.dispatchAll(messages);
    const sent = await Promise.all([relay(stack, broker), relay(stack, broker)]);
    assertEquals(sent[0] + sent[1], 600);
    const numbers = broker.confirmed.map(({ body }) => JSON.parse(body).payload as number);
    assertEquals(new Set(numbers).size, 600);
    for (let group = 0; group < 20; group++) {
      const own = numbers.filter((number) => number % 20 === group);
      assertEquals(own, own.toSorted((a, b) => a - b));
    }
  });

  test("a group's messages stay behind one that the broker refuses, and other groups do not", async (stack) => {
    const move = await movingClock(stack);
    const broker = new Broker();
    const T = define(() => {});
    const { bus } = await brokered(stack, broker, [T]);
    await bus.dispatchAll(
      [1, 2, 3].map((payload) => ({ type: "T", payload, options: { groupKey: "a" } })),
    );
    await bus.dispatch(T, 9);
    broker.refuse = ({ groupKey }) =>
      groupKey === "a" ? { kind: "refused", error: new Error("no such queue") } : null;
    await relay(stack, broker);
    const payloads = () => broker.confirmed.map(({ body }) => JSON.parse(body).payload);
    assertEquals(payloads(), [9]);
    broker.refuse = () => null;
    await move("5 seconds");
    await relay(stack, broker);
    assertEquals(payloads(), [9, 1, 2, 3]);
  });

  test("a broker that lost its memory gets what it had confirmed again, and handled messages stay handled", async (stack) => {
    const broker = new Broker();
    const runs: unknown[] = [];
    const T = define((payload) => void runs.push(payload));
    const { bus, tick } = await brokered(stack, broker, [T]);
    await bus.dispatch(T, "handled");
    await tick();
    await bus.dispatch(T, "lost");
    await relay(stack, broker);
    broker.loseMemory();
    await stack.sql`select public.messenger_resend_outbox('events', now() - interval '10 minutes')`;
    await tick();
    assertEquals([runs, broker.size], [["handled", "lost"], 0]);
  });

  test("a message whose workers were killed with it again and again counts as crashed, and one that was only fetched does not", async (stack) => {
    const broker = new Broker();
    const runs: unknown[] = [];
    const T = define((payload) => void runs.push(payload), { retry: { maxRetries: 0 } });
    const { bus, tick } = await brokered(stack, broker, [T]);
    const fetchOften = async () => {
      await relay(stack, broker);
      for (let fetched = 1; fetched <= 8; fetched++) {
        assertEquals((await broker.pull({ max: 1, maxBytes: 1, waitMs: 0 })).length, 1);
        broker.loseConnection();
      }
    };
    await bus.dispatch(T, { n: 1 });
    await fetchOften();
    await tick();
    assertEquals(runs, [{ n: 1 }]);

    await bus.dispatch(T, { n: 2 });
    await fetchOften();
    for (let killed = 1; killed <= 3; killed++) {
      const { receiver } = await brokered(stack, broker, [T]);
      assertEquals((await receiver?.claim(claimOf()))?.messages.length, 1);
      broker.loseConnection();
    }
    await tick();
    const [letter] = await stack.sql`select reason, attempts from public.messenger_failed_messages`;
    assertEquals([runs, { ...letter }], [[{ n: 1 }], { reason: "crashed", attempts: 12 }]);
  });

  test("a worker ends after its stop, also while the database is away, and the broker has its messages again", async (stack) => {
    const broker = new Broker();
    const { home, client } = leavingHome(stack);
    const away = Promise.withResolvers<void>();
    const T = define(() => {
      home.isAway = true;
      away.resolve();
    });
    const config = { ...readConfig(() => undefined), leaseMs: 2_000 };
    const { bus, worker } = await brokered(stack, broker, [T], { client, config });
    await bus.dispatch(T, {});
    await relay(stack, broker);
    const [drain, stop] = [new AbortController(), new AbortController()];
    const signals = { drain: drain.signal, stop: stop.signal };
    const running = worker.resident({ queues: ["default"], name: "w", ...signals });
    await away.promise;
    drain.abort();
    stop.abort();
    await running.catch(() => {});
    assertEquals((await broker.pull({ max: 9, maxBytes: 1e6, waitMs: 0 })).length, 1);
  });

  test("an outbox that is nearly full answers dispatches of functions with 503, and takes them again once it is read", async (stack) => {
    const broker = new Broker();
    const { bus, tick } = await brokered(stack, broker, [define(() => {})]);
    const dispatch = () => bus.dispatchAll([{ type: "T", payload: "x".repeat(50_000) }]);
    await stack.sql`select public.messenger_set_outbox(max_bytes => 1048576)`;
    broker.isAway = true;
    let refusal: Error | undefined;
    for (let number = 0; number < 100 && !refusal; number++) {
      await stack.sql`select messenger.sample_outbox()`;
      refusal = await dispatch().then(() => undefined, (error: Error) => error);
    }
    assert(refusal?.message.includes("outbox: holds some"), String(refusal));
    // SQL is refused at the bound only.
    await stack.sql`select public.messenger_dispatch('T', '1')`;
    broker.isAway = false;
    await tick();
    await stack.sql`select messenger.sample_outbox()`;
    await dispatch();
  });
});
