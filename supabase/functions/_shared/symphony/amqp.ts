/**
 * RabbitMQ as a transport. It is imported on its own, so that a project without it loads no client.
 *
 * ```ts
 * // _messages/config.ts
 * import { amqp } from "../_shared/symphony/amqp.ts";
 * import type { ProjectConfig } from "../_shared/symphony/index.ts";
 *
 * export const config: ProjectConfig = {
 *   transports: { events: amqp({ url: Deno.env.get("AMQP_URL"), queues: ["default"] }) },
 *   routing: { ImportRow: "events" },
 * };
 * ```
 */

import type { ChannelModel } from "amqplib";
import { closeConnection, Connector } from "./transport/amqp/connector.ts";
import { type AmqpOptions, type AmqpSettings, readAmqpOptions } from "./transport/amqp/options.ts";
import { Publisher } from "./transport/amqp/publisher.ts";
import { checkQueues, countReady, declareQueues } from "./transport/amqp/broker-queues.ts";
import { BrokerReceiver } from "./transport/amqp/broker-receiver.ts";
import type { Engine } from "./transport/engine.ts";

export type { AmqpOptions, AmqpTls, AmqpUrl } from "./transport/amqp/options.ts";
export type { Engine } from "./transport/engine.ts";

/**
 * Makes a transport of a RabbitMQ broker or cluster. It connects at the first message.
 * @throws RangeError that names the wrong option
 */
export function amqp(options: AmqpOptions): Engine {
  const settings = readAmqpOptions(options);
  const { queues, ordered, outbox, maxBytes } = settings;
  const connector = new Connector(settings);
  const publisher = new Publisher(settings, connector);
  const receiver = new BrokerReceiver(settings, connector);
  const withConnection = <T>(call: (model: ChannelModel) => Promise<T>) => briefly(connector, call);
  const isOrdered = queues.every((queue) => ordered.has(queue));
  return {
    capabilities: {
      ...{ fence: "enforced", lease: "fixed", order: isOrdered ? "partition" : "none" },
      maxBytes,
    },
    outbox,
    publish: (messages, signal) => publisher.publish(messages, signal),
    pull: (request) => receiver.pull(request),
    acknowledge: (deliveries) => Promise.resolve(receiver.acknowledge(deliveries)),
    giveBack: (deliveries) => Promise.resolve(receiver.giveBack(deliveries)),
    depth: () => withConnection((model) => depthOf(model, settings, receiver)),
    declare: (needed) => declareAll(settings, withConnection, needed),
    async check() {
      try {
        return await withConnection((model) => checkQueues(model, settings));
      } catch (error) {
        const problem = `cannot be used: ${error instanceof Error ? error.message : error}`;
        const advice = "Look at the transport's url and its secrets, and at the broker.";
        return [{ name: "broker", problem, advice }];
      }
    },
    async close() {
      await Promise.all([publisher.close(), receiver.close()]);
    },
  };
}

/** @throws RangeError if messages need a queue that the transport has not */
async function declareAll(
  settings: AmqpSettings,
  withConnection: <T>(call: (model: ChannelModel) => Promise<T>) => Promise<T>,
  needed: Parameters<Engine["declare"]>[0],
): Promise<void> {
  const { queues, ordered } = settings;
  const missing = needed.find(({ name }) => !queues.includes(name));
  if (missing) {
    throw new RangeError(`amqp: queues: has to have ${missing.name}, which its messages have`);
  }
  const own = queues.map((name) => ({ name, ordered: ordered.has(name) }));
  await withConnection((model) => declareQueues(model, settings, own));
}

/** Runs a call on a connection of its own. */
async function briefly<T>(
  connector: Connector,
  call: (model: ChannelModel) => Promise<T>,
): Promise<T> {
  const model = await connector.open();
  try {
    return await call(model);
  } finally {
    await closeConnection(model);
  }
}

/** The broker tells only to its own administrators how many messages other workers hold. */
async function depthOf(model: ChannelModel, settings: AmqpSettings, receiver: BrokerReceiver) {
  const counts = await countReady(model, settings, settings.queues);
  return await Promise.all(counts.map(async ({ queue, ready }) => ({
    queue,
    ready: ready ?? 0,
    unacknowledged: await receiver.outstanding(queue),
  })));
}
