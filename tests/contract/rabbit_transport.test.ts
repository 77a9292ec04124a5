/** The transport over RabbitMQ keeps the contract: through home's outbox, a relay, a real broker, and back. */

import { amqp } from "../../supabase/functions/_shared/symphony/amqp.ts";
import { arrived } from "../support/arrived.ts";
import { hasRabbit, type RabbitCluster, startRabbit } from "../support/rabbit/cluster.ts";
import { openOver } from "./engine_under_test.ts";
import { testTransport } from "./transport_contract.ts";

let cluster: RabbitCluster | undefined;

if (hasRabbit) {
  Deno.test.beforeAll(async () => void (cluster = await startRabbit()));
  Deno.test.afterAll(async () => await cluster?.[Symbol.asyncDispose]());

  testTransport("over RabbitMQ", {
    ...{ received: "here", fence: "advisory", settle: "stepwise", order: "partition" },
    ...{ cancel: "at-delivery", lease: "fixed", limits: false, views: false, maxBytes: 100_000 },
  }, async () => {
    const engine = amqp({
      url: cluster?.urls,
      prefix: `${crypto.randomUUID()}.`,
      queues: ["default", "mail", "a", "b", "other", "q"],
      ordered: true,
      maxBytes: 100_000,
    });
    await engine.declare([]);
    return await openOver(arrived(engine));
  });
} else {
  Deno.test.ignore("over RabbitMQ: needs Debian's package rabbitmq-server", () => {});
}
