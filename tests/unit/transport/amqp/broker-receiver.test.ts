/** Receiving from a broker of which one queue is silent. The broker is a stand-in: a real one tells in the end. */

import { Buffer } from "node:buffer";
import { assertEquals, assertRejects } from "@std/assert";
import type { ChannelModel, ConsumeMessage } from "amqplib";
import { BrokerReceiver } from "../../../../supabase/functions/_shared/symphony/transport/amqp/broker-receiver.ts";
import type { Connector } from "../../../../supabase/functions/_shared/symphony/transport/amqp/connector.ts";
import { readAmqpOptions } from "../../../../supabase/functions/_shared/symphony/transport/amqp/options.ts";

/** A connection whose queue `bad` is silent; each other queue has one message. */
function connection() {
  let opened = 0;
  let closed = 0;
  const createChannel = () => {
    opened++;
    return Promise.resolve({
      on: () => {},
      prefetch: () => Promise.resolve(),
      consume(queue: string, receive: (message: ConsumeMessage) => void) {
        if (queue === "bad") return new Promise(() => {});
        const properties = { messageId: "1", headers: { type: "T", publication: 1 } };
        const fields = { deliveryTag: 1, redelivered: false };
        setTimeout(() => receive({ fields, properties, content: Buffer.from("{}") } as never), 5);
        return Promise.resolve({ consumerTag: queue });
      },
      close: () => Promise.resolve(void closed++),
    });
  };
  const model = { createChannel, on: () => {} } as never as ChannelModel;
  return { model, channels: () => opened - closed };
}

function receiverOf(model: ChannelModel, queues: readonly string[]): BrokerReceiver {
  const settings = {
    ...readAmqpOptions({ url: "amqp://localhost", queues, prefix: "" }),
    timeoutMs: 50,
  };
  return new BrokerReceiver(settings, { open: () => Promise.resolve(model) } as never as Connector);
}

const request = { max: 10, maxBytes: 1_000, waitMs: 1_000 };

Deno.test("messages of a queue come while another one gives no answer", async () => {
  const { model } = connection();
  const receiver = receiverOf(model, ["bad", "good"]);
  assertEquals((await receiver.pull(request)).map(({ queue }) => queue), ["good"]);
});

Deno.test("the trouble of a queue is told, and its channel is closed", async () => {
  const { model, channels } = connection();
  const receiver = receiverOf(model, ["bad"]);
  await assertRejects(() => receiver.pull(request), Error, "queue bad: gave no answer");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(channels(), 0);
});
