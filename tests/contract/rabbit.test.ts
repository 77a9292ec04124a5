/** RabbitMQ keeps the promises of engines, over a real broker. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { amqp, type AmqpOptions } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { readBody } from "../../supabase/functions/_shared/symphony/transport/engine-body.ts";
import type {
  Engine,
  EngineMessage,
} from "../../supabase/functions/_shared/symphony/transport/engine.ts";
import { hasRabbit, type RabbitCluster, startRabbit } from "../support/rabbit/cluster.ts";
import { type Proxy, startProxy } from "../support/rabbit/proxy.ts";
import { testEngine } from "./engine_contract.ts";
import { type Arrived, published, testEngineSending } from "./engine_sending_contract.ts";

let cluster: RabbitCluster | undefined;
let proxy: Proxy | undefined;

Deno.test.beforeAll(async () => {
  cluster = await startRabbit(1, { settings: ["max_message_size = 200000"] });
  proxy = startProxy(Number(new URL(cluster.urls[0] ?? "").port));
});
Deno.test.afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** A transport with queues of its own. */
async function open(options: Partial<AmqpOptions> = {}): Promise<Engine> {
  const url = `amqp://127.0.0.1:${proxy?.port}`;
  const prefix = `${crypto.randomUUID()}.`;
  const engine = amqp({ url, prefix, queues: ["default", "mail"], ...options });
  await engine.declare([]);
  return engine;
}

if (hasRabbit) {
  testEngineSending("RabbitMQ", async () => {
    const engine = await open({ maxBytes: 100_000, ordered: true });
    const arrived = async (): Promise<Arrived[]> => {
      const all: Arrived[] = [];
      for (;;) {
        const pulled = await engine.pull({ max: 1_000, maxBytes: 10_000_000, waitMs: 300 });
        if (pulled.length === 0) return all;
        await engine.acknowledge(pulled);
        all.push(...pulled.map(({ type, queue, body }) => {
          const { payload, priority, groupKey, stamps } = readBody(body);
          return { type, payload, queue, priority, groupKey, stamps };
        }));
      }
    };
    return { engine, arrived, close: () => engine.close() };
  });

  Deno.test("RabbitMQ: the messages of all lanes go through their queue", async () => {
    const engine = await open();
    try {
      const message = {
        publication: 1,
        type: "T",
        priority: 0,
        groupKey: null,
        body: "{}",
        bytes: 2,
      };
      const published = await engine.publish([
        { ...message, id: "1", queue: "mail/acme" },
        { ...message, id: "2", queue: "mail/globex" },
        { ...message, id: "3", queue: "other/acme" },
      ], AbortSignal.timeout(10_000));
      assertEquals(published.map(({ kind }) => kind), ["confirmed", "confirmed", "refused"]);
      const pulled = await engine.pull({ max: 10, maxBytes: 1_000_000, waitMs: 2_000 });
      assertEquals(pulled.map(({ queue }) => queue), ["mail", "mail"]);
    } finally {
      await engine.close();
    }
  });

  testEngine("RabbitMQ", async () => {
    const engine = await open();
    return {
      engine,
      loseConnection: () => Promise.resolve(proxy?.cut()),
      close: () => engine.close(),
    };
  });

  const pull = (engine: Engine) =>
    engine.pull({ max: 100, maxBytes: 1_000_000, waitMs: 300 }).then((all) =>
      all.map(({ id }) => id)
    );

  Deno.test("RabbitMQ: a message that is too large for the broker is refused, and the others are sent", async () => {
    const engine = await open();
    const large = published(2, { body: { payload: "x".repeat(300_000) } });
    const publish = (...messages: EngineMessage[]) =>
      engine.publish(messages, new AbortController().signal);
    const [, fate] = await publish(published(1), large);
    assert(fate?.kind === "refused" && fate.tooLarge);
    assertEquals(await publish(published(3)), [{ kind: "confirmed" }]);
    assert((await pull(engine)).includes("3"));
    await engine.close();
  });

  Deno.test("RabbitMQ: of an ordered queue one worker receives, and another once it is gone", async () => {
    const prefix = `${crypto.randomUUID()}.`;
    const [first, second] = [
      await open({ prefix, ordered: true }),
      await open({ prefix, ordered: true }),
    ];
    assertEquals([await pull(first), await pull(second)], [[], []]);
    await first.publish([published(1), published(2)], new AbortController().signal);
    assertEquals([await pull(second), await pull(first)], [[], ["1", "2"]]);
    await first.close();
    assertEquals(await pull(second), ["1", "2"]);
    await second.close();
  });

  Deno.test("RabbitMQ: the check tells a vhost that is not there, and a password that is wrong", async () => {
    const problemOf = async (user: string, vhost: string) => {
      const engine = amqp({ url: `amqp://${user}@127.0.0.1:${proxy?.port}${vhost}` });
      const [problem] = await engine.check([]);
      await engine.close();
      return problem?.problem ?? "";
    };
    assertMatch(
      await problemOf("guest:guest", "/away"),
      /^cannot be used: 127.0.0.1:\d+: has no vhost "away", or refuses it to this user$/,
    );
    const refused = await problemOf("guest:secret", "");
    assertMatch(refused, /ACCESS_REFUSED/);
    assert(!refused.includes("secret"));
  });

  Deno.test("RabbitMQ: the check tells a queue that is declared with other settings", async () => {
    const prefix = `${crypto.randomUUID()}.`;
    const engine = await open({ prefix });
    const other = amqp({ url: `amqp://127.0.0.1:${proxy?.port}`, prefix, ordered: true });
    const [problem, ...more] = await other.check([]);
    assertEquals([problem?.name, more], [`queue ${prefix}default`, []]);
    assertMatch(
      problem?.problem ?? "",
      /^is declared with other settings: .*x-single-active-consumer/,
    );
    await assertRejects(() => other.declare([]), Error, "PRECONDITION_FAILED");
    await assertRejects(
      () => other.declare([{ name: "mail" }]),
      RangeError,
      "queues: has to have mail",
    );
    await Promise.all([engine.close(), other.close()]);
  });
} else {
  Deno.test.ignore("RabbitMQ: needs Debian's package rabbitmq-server", () => {});
}
