/** The database is away while handlers of a broker's messages fail, and a day's retries wait: what is received meanwhile. */

import { assert, assertEquals } from "@std/assert";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { amqp } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { Broker } from "../support/broker.ts";
import { brokered, leavingHome, outboxOf } from "../support/brokered.ts";
import { define } from "../support/definitions.ts";
import { hasRabbit, startRabbit } from "../support/rabbit/cluster.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

const DAY_MS = 86_400_000;
/** Messages whose retries wait for a day. 10,000 take a minute or two. */
const RETRIES = 500;

testsOnStack({}, (test) => {
  test("a broker's message whose handler fails while the database is away comes again, and its retry is stored once", async (stack) => {
    const { home, client } = leavingHome(stack);
    const broker = new Broker();
    const away = Promise.withResolvers<void>();
    let runs = 0;
    const T = define(() => {
      if (++runs === 1) {
        home.isAway = true;
        away.resolve();
      }
      throw new Error("no luck");
    }, { retry: { maxRetries: 3, delay: DAY_MS, jitter: 0 } });
    const config = { ...readConfig(() => undefined), leaseMs: 2_000 };
    const { bus, worker, publish } = await brokered(stack, broker, [T], { client, config });
    const id = await bus.dispatch(T, {});
    await publish();
    const start = () => {
      const drain = new AbortController();
      const signals = { drain: drain.signal, stop: drain.signal };
      const running = worker.resident({ queues: ["default"], name: "w", ...signals });
      return { end: () => (drain.abort(), running.catch(() => {})) };
    };
    const first = start();
    await away.promise;
    await first.end();
    assertEquals([(await outboxOf(stack)).waiting, broker.size], [[], 1]);
    home.isAway = false;
    const second = start();
    await eventually(() => Promise.resolve(broker.size), (size) => size === 0);
    await second.end();
    assertEquals([(await outboxOf(stack)).waiting, runs], [[id], 2]);
    const [row] = await stack.sql`
      select retry_count, publication, jsonb_array_length(errors) as errors
      from messenger.outbox where sent_at is null`;
    assertEquals({ ...row }, { retry_count: 1, publication: 2, errors: 1 });
  });

  test("ticks receive a broker's messages after a worker that ended while the database was away", async (stack) => {
    const { home, client } = leavingHome(stack);
    const broker = new Broker();
    const away = Promise.withResolvers<void>();
    const runs: unknown[] = [];
    const T = define((payload) => {
      runs.push(payload);
      if (runs.length > 1) return;
      home.isAway = true;
      away.resolve();
      throw new Error("no luck");
    }, { retry: { maxRetries: 3, delay: 1, jitter: 0 } });
    const config = { ...readConfig(() => undefined), leaseMs: 2_000 };
    const { bus, worker, publish, tick, events } = await brokered(stack, broker, [T], {
      ...{ client, config },
    });
    await bus.dispatchAll([1, 2].map((payload) => ({
      ...{ type: "T", payload },
      options: { groupKey: "g" },
    })));
    await publish();
    const drain = new AbortController();
    const signals = { drain: drain.signal, stop: drain.signal };
    const running = worker.resident({ queues: ["default"], name: "w", ...signals });
    await away.promise;
    drain.abort();
    await running.catch(() => {});
    home.isAway = false;
    const [left] = await stack.sql`
      select from public.messenger_ticks where worker = 'w' and ended_at is null`;
    assert(left && events().includes("worker_call_failed"));
    // Each of them finds what is in the broker when it begins.
    await tick();
    assertEquals([runs.slice(0, 3), broker.size], [[1, 1, 2], 0]);
  });

  test("an outage that ends while a worker runs loses no outcome and writes none twice", async (stack) => {
    const { home, client } = leavingHome(stack);
    const broker = new Broker();
    const T = define(() => {
      home.isAway = true;
      setTimeout(() => void (home.isAway = false), 300);
      throw new Error("no luck");
    }, { retry: { maxRetries: 3, delay: DAY_MS, jitter: 0 } });
    const { bus, tick } = await brokered(stack, broker, [T], { client });
    const ids = await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
    const retries = async () => {
      const rows = await stack.sql<{ id: string }[]>`
        select id::text from messenger.outbox where retry_count > 0 order by id`;
      return rows.map(({ id }) => id);
    };
    await eventually(async () => {
      await tick();
      return [broker.size, (await retries()).length];
    }, ([size, stored]) => size === 0 && stored === 3);
    assertEquals(await retries(), ids);
  });

  if (hasRabbit) {
    test("retries that wait for a day stall no message behind them", async (stack) => {
      await using cluster = await startRabbit();
      const engine = amqp({ url: cluster.urls[0] ?? "" });
      await engine.declare([]);
      const seen: unknown[] = [];
      const T = define((payload) => {
        if (payload !== "good") throw new Error("no luck");
        seen.push(payload);
      }, { retry: { maxRetries: 3, delay: DAY_MS, jitter: 0 } });
      const { bus, tick } = await brokered(stack, engine, [T]);
      for (let from = 0; from < RETRIES; from += 500) {
        await bus.dispatchAll(
          Array.from({ length: 500 }, (_, n) => ({ type: "T", payload: from + n })),
        );
      }
      const retried = async () => {
        const [{ count }] = await stack.sql<[{ count: number }]>`
          select count(*)::integer from messenger.outbox where retry_count = 1 and sent_at is null`;
        return count;
      };
      for (let ticks = 0; ticks < 100 && await retried() < RETRIES; ticks++) await tick();
      assertEquals(await retried(), RETRIES);
      await bus.dispatch(T, "good");
      await tick();
      assertEquals([seen, await retried()], [["good"], RETRIES]);
    });
  }
});
