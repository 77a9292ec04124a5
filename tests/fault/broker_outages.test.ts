/** The database is away while handlers of a broker's messages fail: what is received then, and written later. */

import { assert, assertEquals } from "@std/assert";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { Broker } from "../support/broker.ts";
import { brokered, leavingHome, outboxOf } from "../support/brokered.ts";
import { define } from "../support/definitions.ts";
import { eventually, testsOnStack } from "../support/stack.ts";

const DAY_MS = 86_400_000;

testsOnStack({}, (test) => {
  test("a broker's message whose handler fails while the database is away comes again, and its retry is stored once and handled", async (stack) => {
    const { home, client } = leavingHome(stack);
    const broker = new Broker();
    const away = Promise.withResolvers<void>();
    const attempts: number[] = [];
    const T = define((_, { attempt }) => {
      attempts.push(attempt);
      if (attempt > 1) return;
      if (attempts.length === 1) {
        home.isAway = true;
        away.resolve();
      }
      throw new Error("no luck");
    }, { retry: { maxRetries: 3, delay: DAY_MS, jitter: 0 } });
    const config = { ...readConfig(() => undefined), leaseMs: 2_000 };
    const { bus, worker, publish, tick } = await brokered(stack, broker, [T], { client, config });
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
    assertEquals([(await outboxOf(stack)).waiting, attempts], [[id], [1, 1]]);
    const [row] = await stack.sql`
      select retry_count, publication, jsonb_array_length(errors) as errors
      from messenger.outbox where sent_at is null`;
    assertEquals({ ...row }, { retry_count: 1, publication: 2, errors: 1 });
    await stack.sql`select public.messenger_run_outbox('events')`;
    await tick();
    const { publications, sent } = await outboxOf(stack);
    assertEquals([attempts, publications, sent], [[1, 1, 2], [1, 2], [id, id]]);
    const letters = await stack.sql`select from public.messenger_failed_messages`;
    assertEquals([letters.length, broker.size], [0, 0]);
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
});
