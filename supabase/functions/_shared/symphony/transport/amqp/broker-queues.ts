/**
 * The queues of a transport in RabbitMQ: quorum queues, whose messages a majority of the nodes has on disk. A copy that
 * was delivered too often goes to a queue of its own, from which nothing is lost.
 */

import type { Channel, ChannelModel } from "amqplib";
import { within } from "../../runtime/within.ts";
import type { EngineProblem } from "../engine.ts";
import type { AmqpSettings } from "./options.ts";

/** Follows the prefix in the name of the queue of copies that were set aside. No queue of messages has a `!`. */
const SET_ASIDE = "!undeliverable";
const UPGRADE = "Run `symphony-messenger transports declare`.";

type Declared = Pick<AmqpSettings, "prefix" | "deliveryLimit" | "timeoutMs">;

/**
 * Makes the queues that are not there.
 * @throws Error if one is there with other settings
 */
export async function declareQueues(
  model: ChannelModel,
  settings: Declared,
  queues: readonly { readonly name: string; readonly ordered?: boolean }[],
): Promise<void> {
  const { prefix } = settings;
  const aside = prefix + SET_ASIDE;
  await onChannel(
    model,
    settings,
    (channel) =>
      channel.assertQueue(aside, { durable: true, arguments: { "x-queue-type": "quorum" } }),
  );
  for (const { name, ordered = false } of queues) {
    await onChannel(
      model,
      settings,
      (channel) => channel.assertQueue(prefix + name, argumentsOf(settings, ordered)),
    );
  }
}

/** Numbers of messages that wait, by queue; null for one that is not declared. */
export async function countReady(
  model: ChannelModel,
  settings: Declared,
  queues: readonly string[],
): Promise<readonly { readonly queue: string; readonly ready: number | null }[]> {
  const counts = [];
  for (const queue of queues) {
    const ready = await onChannel(
      model,
      settings,
      (channel) => channel.checkQueue(settings.prefix + queue),
    ).then(
      ({ messageCount }) => messageCount,
      (error) => {
        if (error?.code === 404) return null;
        throw error;
      },
    );
    counts.push({ queue, ready });
  }
  return counts;
}

/** Looks for queues that are not declared, or otherwise than now, and for copies that were set aside. */
export async function checkQueues(
  model: ChannelModel,
  settings: Declared & Pick<AmqpSettings, "queues" | "ordered">,
): Promise<readonly EngineProblem[]> {
  const { queues, ordered } = settings;
  const problems: EngineProblem[] = [];
  for (const { queue, ready } of await countReady(model, settings, [...queues, SET_ASIDE])) {
    const name = `queue ${settings.prefix}${queue}`;
    if (ready === null) problems.push({ name, problem: "is not declared", advice: UPGRADE });
    else if (queue === SET_ASIDE && ready > 0) {
      const problem = `has ${ready} messages that were delivered too often`;
      const advice = "Look at their workers' logs, and move them back with a shovel.";
      problems.push({ name, problem, advice });
    } else if (queue !== SET_ASIDE) {
      const problem = await differs(model, settings, queue, ordered.has(queue));
      if (problem) problems.push({ name, ...problem });
    }
  }
  return problems;
}

/** It is declared: declaring it once more tells whether its settings are these. */
async function differs(model: ChannelModel, settings: Declared, queue: string, ordered: boolean) {
  try {
    await onChannel(
      model,
      settings,
      (channel) => channel.assertQueue(settings.prefix + queue, argumentsOf(settings, ordered)),
    );
    return null;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const advice = "Delete it when it is empty, and declare it, or change the transport's options.";
    return { problem: `is declared with other settings: ${error.message}`, advice };
  }
}

function argumentsOf({ prefix, deliveryLimit }: Declared, ordered: boolean) {
  return {
    durable: true,
    arguments: {
      "x-queue-type": "quorum",
      "x-delivery-limit": deliveryLimit,
      "x-dead-letter-exchange": "",
      "x-dead-letter-routing-key": prefix + SET_ASIDE,
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
      ...(ordered && { "x-single-active-consumer": true }),
    },
  };
}

/** Runs one call on a channel of its own: a call that fails closes its channel. */
async function onChannel<T>(
  model: ChannelModel,
  { timeoutMs }: Pick<AmqpSettings, "timeoutMs">,
  call: (channel: Channel) => Promise<T>,
): Promise<T> {
  const late = () => new Error(`gave no answer within ${timeoutMs} ms`);
  const channel = await within(model.createChannel(), timeoutMs, late);
  channel.on("error", () => {});
  const result = await within(call(channel), timeoutMs, late);
  await within(channel.close(), timeoutMs, late);
  return result;
}
