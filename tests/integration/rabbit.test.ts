/** Messages through the outbox, RabbitMQ and back: their outcomes at home, each once. */

import { assert, assertEquals } from "@std/assert";
import { amqp, type AmqpOptions } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { brokered, outboxOf } from "../support/brokered.ts";
import { define, fail } from "../support/definitions.ts";
import { hasRabbit, type RabbitCluster, startRabbit } from "../support/rabbit/cluster.ts";
import { type Proxy, startProxy } from "../support/rabbit/proxy.ts";
import { publishRaw, wrongMessages } from "../support/rabbit/wrong_messages.ts";
import { sized } from "../support/sizes.ts";
import { testsOnStack } from "../support/stack.ts";

let cluster: RabbitCluster | undefined;
let proxy: Proxy | undefined;

/** A transport with queues of its own. */
async function declared(options: Partial<AmqpOptions> = {}) {
  const url = `amqp://127.0.0.1:${proxy?.port}`;
  const engine = amqp({ url, prefix: `${crypto.randomUUID()}.`, ...options });
  await engine.declare([]);
  return engine;
}

/** Messages that the broker has. */
async function sizeOf(engine: Awaited<ReturnType<typeof declared>>): Promise<number> {
  return (await engine.depth()).reduce((sum, { ready }) => sum + ready, 0);
}

if (hasRabbit) {
  Deno.test.beforeAll(async () => {
    cluster = await startRabbit();
    proxy = startProxy(Number(new URL(cluster.urls[0] ?? "").port));
  });
  Deno.test.afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await cluster?.[Symbol.asyncDispose]();
  });
  testsOnStack({}, (test) => {
    test("a dispatched message goes through RabbitMQ and is handled once", async (stack) => {
      const engine = await declared();
      const seen: unknown[] = [];
      const T = define((payload, { envelope }) => void seen.push([payload, envelope.id]));
      const { bus, tick } = await brokered(stack, engine, [T]);
      const id = await bus.dispatch(T, { n: "ä" });
      assertEquals(await tick(), { claimed: 1, handled: 1, retried: 0, failed: 0 });
      assertEquals(seen, [[{ n: "ä" }, id]]);
      assertEquals([await sizeOf(engine), (await outboxOf(stack)).sent], [0, [id]]);
    });

    test("messages that are cancelled while RabbitMQ has them are dropped at their delivery", async (stack) => {
      const engine = await declared();
      const seen: unknown[] = [];
      const T = define((payload) => void seen.push(payload));
      const { bus, tick, publish, receiver, lines } = await brokered(stack, engine, [T]);
      const ids = await bus.dispatchAll([1, 2, 3].map((payload) => ({ type: "T", payload })));
      await publish();
      assertEquals(await sizeOf(engine), 3);
      assertEquals(await receiver?.cancel({ ids: ids.slice(0, 2) }), { cancelled: 0, running: 2 });
      assertEquals((await tick()).handled, 1);
      assertEquals([seen, await sizeOf(engine)], [[3], 0]);
      const letters = await stack.sql`
        select id::text, reason, attempts, errors, stamps ->> 'transport' as transport
        from public.messenger_failed_messages order by id`;
      const letter = { reason: "cancelled", attempts: 0, errors: [], transport: "events" };
      assertEquals(
        [...letters].map((one) => ({ ...one })),
        ids.slice(0, 2).map((id) => ({ id, ...letter })),
      );
      const told = lines.filter(({ event }) => event === "deliveries_cancelled");
      assertEquals(told.flatMap((line) => line.ids).toSorted(), ids.slice(0, 2));
    });

    test("each message that another program wrote wrongly becomes one dead letter, and those behind it are handled", async (stack) => {
      const prefix = `${crypto.randomUUID()}.`;
      const engine = await declared({ prefix });
      const seen: unknown[] = [];
      const T = define((payload) => {
        seen.push(payload);
        if (payload !== "good") throw new Error("no luck");
      }, { retry: { maxRetries: 0 } });
      const { bus, tick } = await brokered(stack, engine, [T]);
      const [{ origin }] = await stack.sql<[{ origin: string }]>`
        select messenger.installation_id() as origin`;
      await publishRaw(cluster?.urls[0] ?? "", `${prefix}default`, wrongMessages(origin));
      await bus.dispatch(T, "good");
      for (let ticks = 0; ticks < 100 && (ticks === 0 || await sizeOf(engine) > 0); ticks++) {
        await tick();
      }
      assertEquals(seen.filter((one) => one === "good").length, 1);
      const [{ letters, left }] = await stack.sql<[{ letters: number; left: number }]>`
        select (select count(*)::integer from public.messenger_failed_messages) as letters,
          (select count(*)::integer from public.messenger_messages) as left`;
      assertEquals(await sizeOf(engine), 0);
      assertEquals([letters, left], [wrongMessages(origin).length, 0]);
    });

    test("a message that keeps failing goes through RabbitMQ for each retry, and is dead at last", async (stack) => {
      const engine = await declared();
      const T = define(() => fail(0, undefined as never), { retry: { maxRetries: 2, delay: 1 } });
      const { bus, tick } = await brokered(stack, engine, [T]);
      const id = await bus.dispatch(T, {});
      assertEquals(await tick(), { claimed: 3, handled: 0, retried: 2, failed: 1 });
      const [letter] = await stack.sql`
        select id::text, reason, jsonb_array_length(errors) as errors
        from public.messenger_failed_messages`;
      assertEquals({ ...letter }, { id, reason: "exhausted", errors: 3 });
      assertEquals(await sizeOf(engine), 0);
    });

    test("the messages of a group are handled in the order of their dispatch", async (stack) => {
      const engine = await declared({ ordered: true });
      const seen: unknown[] = [];
      const T = define((payload) => void seen.push(payload));
      const { bus, tick } = await brokered(stack, engine, [T]);
      const sent = Array.from({ length: 60 }, (_, n) => n);
      for (const n of sent) await bus.dispatch(T, n, { groupKey: "team" });
      while ((await tick()).claimed > 0);
      assertEquals(seen, sent);
    });

    test("a copy that comes again over a lost connection is dropped, with its effects", async (stack) => {
      const engine = await declared();
      let runs = 0;
      const Home = define(() => {}, { type: "Home" });
      const T = define(async (_, { dispatch }) => {
        runs++;
        await dispatch(Home, {});
      });
      // The outcome is written, and its acknowledgement is lost.
      let isCut = false;
      const acknowledge: typeof engine.acknowledge = (deliveries) => {
        if (!isCut) proxy?.cut();
        isCut = true;
        return engine.acknowledge(deliveries);
      };
      const { bus, tick } = await brokered(stack, { ...engine, acknowledge }, [T, Home]);
      await bus.dispatch(T, {});
      while ((await tick()).claimed > 0);
      assertEquals([runs, isCut, await sizeOf(engine)], [1, true, 0]);
    });

    test("confirms that are lost are published again, and the message is handled once", async (stack) => {
      const engine = await declared({ timeoutMs: 1_000 });
      const seen: string[] = [];
      const T = define((_, { envelope: { id }, dispatch }) => (seen.push(id), dispatch(Home, {})));
      const Home = define(() => {}, { type: "Home" });
      let isMute = false;
      const publish: typeof engine.publish = async (messages, signal) => {
        await engine.depth();
        if (!isMute) await engine.publish([], signal);
        const publishing = engine.publish(messages, signal);
        if (!isMute) proxy?.mute();
        isMute = true;
        return await publishing.finally(() => proxy?.cut());
      };
      const { bus, tick } = await brokered(stack, { ...engine, publish }, [T, Home]);
      const id = await bus.dispatch(T, {});
      for (let ticks = 0; ticks < 20 && seen.length === 0; ticks++) await tick();
      while ((await tick()).claimed > 0);
      assertEquals(seen, [id]);
      assertEquals(await sizeOf(engine), 0);
    });

    test("messages behind a thousand of one group are handled while the first of the group runs", async (stack) => {
      const engine = await declared();
      const others: unknown[] = [];
      const group: unknown[] = [];
      const othersDone = Promise.withResolvers<void>();
      const T = define(async (payload, { signal }) => {
        if (typeof payload === "number") {
          if (group.push(payload) > 1) return;
          signal.addEventListener("abort", () => othersDone.reject(signal.reason));
          await othersDone.promise;
        } else if (others.push(payload) === 20) othersDone.resolve();
      }, { timeout: "30s" });
      const { bus, worker, publish } = await brokered(stack, engine, [T]);
      await bus.dispatchAll([
        ...Array.from({ length: 1_000 }, (_, payload) => ({
          ...{ type: "T", payload },
          options: { groupKey: "g" },
        })),
        ...Array.from({ length: 20 }, () => ({ type: "T", payload: "other" })),
      ]);
      await publish();
      await worker.tick({ budgetMs: 5_000, caller: "waits" });
      assertEquals([others.length, group.length > 1], [20, true]);
      assertEquals(group.findIndex((number, place) => number !== place), -1);
    });

    test("messages pass retries that wait for a day", async (stack) => {
      const engine = await declared();
      const count = sized(500, 20_000);
      let handled = 0;
      const T = define((payload) => {
        if (payload === "fails") throw new Error("no luck");
        handled++;
      }, { retry: { delay: "1d", jitter: 0 } });
      const { bus, tick } = await brokered(stack, engine, [T]);
      for (let from = 0; from < count; from += 500) {
        const size = Math.min(500, count - from);
        await bus.dispatchAll(
          Array.from({ length: size }, () => ({ type: "T", payload: "fails" })),
        );
      }
      let retried = 0;
      while (retried < count) retried += (await tick(20_000)).retried;
      await bus.dispatchAll(Array.from({ length: 20 }, () => ({ type: "T", payload: "works" })));
      const { claimed } = await tick();
      assertEquals([retried, claimed, handled, await sizeOf(engine)], [count, 20, 20, 0]);
      const [row] = await stack.sql`
        select count(*)::integer as retries from messenger.outbox
        where retry_count = 1 and sent_at is null`;
      assertEquals([(await outboxOf(stack)).waiting.length, row?.retries], [count, count]);
    });

    test("messages of a queue that is not declared hold back no others, with and without a group", async (stack) => {
      const prefix = "part.";
      await (await declared({ prefix })).close();
      const url = `amqp://127.0.0.1:${proxy?.port}`;
      const engine = amqp({ url, prefix, queues: ["default", "late"] });
      const seen: unknown[] = [];
      const T = define((payload) => void seen.push(payload));
      const { bus, tick } = await brokered(stack, engine, [T]);
      for (let n = 0; n < 8; n++) {
        await bus.dispatch(T, {}, { queue: "late", groupKey: `g${n}` });
        await bus.dispatch(T, {}, { queue: "late" });
      }
      for (const n of [0, 1, 2, 3]) await bus.dispatch(T, { n }, { groupKey: `g${n}` });
      for (let ticks = 0; ticks < 20 && seen.length < 4; ticks++) await tick(200);
      assertEquals(seen.length, 4);
      assertEquals((await outboxOf(stack)).waiting.length, 16);
    });

    test("while queues are not declared messages wait, and the check names the queue", async (stack) => {
      const engine = amqp({ url: `amqp://127.0.0.1:${proxy?.port}`, prefix: "missing." });
      const T = define(() => {});
      const { bus, tick } = await brokered(stack, engine, [T]);
      const id = await bus.dispatch(T, {});
      await tick(500);
      assertEquals((await outboxOf(stack)).waiting, [id]);
      const problems = await engine.check([]);
      assert(
        problems.some(({ name, problem }) =>
          name === "queue missing.default" && problem === "is not declared"
        ),
      );
    });
  });
} else {
  Deno.test.ignore("messages through RabbitMQ (needs Debian's package rabbitmq-server)", () => {});
}
