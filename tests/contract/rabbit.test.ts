/** RabbitMQ keeps the promises of engines, over a real broker. */

import { amqp, type AmqpOptions } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { readBody } from "../../supabase/functions/_shared/symphony/transport/engine-body.ts";
import type { Engine } from "../../supabase/functions/_shared/symphony/transport/engine.ts";
import { hasRabbit, type RabbitCluster, startRabbit } from "../support/rabbit/cluster.ts";
import { type Proxy, startProxy } from "../support/rabbit/proxy.ts";
import { testEngine } from "./engine_contract.ts";
import { type Arrived, testEngineSending } from "./engine_sending_contract.ts";

let cluster: RabbitCluster | undefined;
let proxy: Proxy | undefined;

Deno.test.beforeAll(async () => {
  cluster = await startRabbit();
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

  testEngine("RabbitMQ", async () => {
    const engine = await open();
    return {
      engine,
      loseConnection: () => Promise.resolve(proxy?.cut()),
      close: () => engine.close(),
    };
  });
} else {
  Deno.test.ignore("RabbitMQ: needs Debian's package rabbitmq-server", () => {});
}
