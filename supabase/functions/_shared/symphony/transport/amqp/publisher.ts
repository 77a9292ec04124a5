/**
 * Publishing to RabbitMQ: all messages of a call are on their way together, and each is confirmed once a quorum of the
 * nodes has it on disk. It has a connection of its own, because a broker that is low on memory or disk stops reading
 * from those that publish, acknowledgements included.
 */

import { parentQueue } from "../../message/lane.ts";
import { Buffer } from "node:buffer";
import type { ChannelModel, ConfirmChannel } from "amqplib";
import { within } from "../../runtime/within.ts";
import type { EngineMessage, Published } from "../engine.ts";
import { closeConnection, type Connector } from "./connector.ts";
import type { AmqpSettings } from "./options.ts";

/** A connection that publishes. */
interface Opened {
  readonly model: ChannelModel;
  readonly channel: ConfirmChannel;
  /** Copies for which the broker has no queue. */
  readonly returned: Set<string>;
  /** Waiting calls, which end once the broker reads no more. */
  readonly blockings: Set<(error: Error) => void>;
  /** Why the broker takes nothing. */
  blocked: Error | undefined;
  /** Why the channel is closed. */
  lost: Error | undefined;
  /**
   * It has refused a message. A channel that has looked for a queue's leader in vain, as after a node was killed, keeps
   * refusing after another node leads; a new channel finds that one.
   */
  hasRefused: boolean;
}

/** Publishes messages. */
export class Publisher {
  #opening: Promise<Opened> | undefined;

  constructor(
    private readonly settings: AmqpSettings,
    private readonly connector: Connector,
  ) {}

  /**
   * Publishes messages, in order.
   * @param signal ends the wait for confirms: the fates that are not known by then stay unknown
   * @throws Error if none was published
   */
  async publish(
    messages: readonly EngineMessage[],
    signal: AbortSignal,
  ): Promise<readonly Published[]> {
    const refusals = messages.map((message) => this.#refuse(message));
    if (refusals.every((one) => one !== undefined)) return refusals;
    signal.throwIfAborted();
    const opened = await this.#open();
    if (opened.blocked) throw opened.blocked;
    const { promise: over, resolve: end } = Promise.withResolvers<Published>();
    const giveUp = (error: unknown) => end({ kind: "unknown", error });
    // The node may be cut off from the others: it takes messages, and never confirms one.
    const leave = (error: unknown) => {
      giveUp(error);
      this.connector.avoidNode();
      void this.#drop(opened);
    };
    const onAbort = () => leave(signal.reason);
    const { timeoutMs } = this.settings;
    const late = new Error(`confirms nothing within ${timeoutMs} ms`);
    const timer = setTimeout(() => leave(late), timeoutMs);
    signal.addEventListener("abort", onAbort, { once: true });
    opened.blockings.add(giveUp);
    try {
      return await Promise.all(
        messages.map((message, index) =>
          refusals[index] ?? Promise.race([this.#send(opened, message), over])
        ),
      );
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      opened.blockings.delete(giveUp);
      if (opened.lost || opened.hasRefused) await this.#drop(opened);
    }
  }

  /** Ends the connection; the next publish opens another. */
  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    if (opened) await this.#drop(opened);
  }

  /** Why a message needs no broker; undefined if it does. */
  #refuse({ queue, bytes }: EngineMessage): Published | undefined {
    const { queues, maxBytes } = this.settings;
    if (bytes > maxBytes) {
      const error = new RangeError(`has ${bytes} bytes; the transport takes ${maxBytes}`);
      return { kind: "refused", error, tooLarge: true };
    }
    if (queues.includes(parentQueue(queue))) return undefined;
    const error = new RangeError(`queue: ${queue} is not among the transport's queues`);
    return { kind: "refused", error };
  }

  #send(opened: Opened, message: EngineMessage): Promise<Published> {
    const { id, publication, type, queue, body, bytes } = message;
    const { promise, resolve } = Promise.withResolvers<Published>();
    const key = `${id}.${publication}`;
    const onFate = (error: Error | null) => {
      if (error) opened.hasRefused = true;
      // A message without a queue is returned, and then confirmed. Those of other queues are taken.
      if (opened.returned.delete(key)) {
        resolve({ kind: "refused", error: new Error(`queue ${queue}: is not declared`) });
      } else resolve(error ? fateOf(opened.lost ?? error, bytes) : { kind: "confirmed" });
    };
    try {
      // Lanes share the queue of the broker, which is declared by name.
      opened.channel.publish("", this.settings.prefix + parentQueue(queue), Buffer.from(body), {
        ...{ mandatory: true, persistent: true, contentType: "application/json" },
        ...{ messageId: id, headers: { type, publication } },
      }, onFate);
    } catch (error) {
      resolve({ kind: "unknown", error: opened.lost ?? error });
    }
    return promise;
  }

  #open(): Promise<Opened> {
    return this.#opening ??= this.#connect().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
  }

  async #connect(): Promise<Opened> {
    const model = await this.connector.open();
    try {
      const { timeoutMs } = this.settings;
      const late = () => new Error(`opens no channel within ${timeoutMs} ms`);
      const channel = await within(model.createConfirmChannel(), timeoutMs, late);
      return this.#watch(model, channel);
    } catch (error) {
      this.connector.avoidNode();
      await closeConnection(model);
      throw error;
    }
  }

  #watch(model: ChannelModel, channel: ConfirmChannel): Opened {
    const opened: Opened = {
      ...{ model, channel, returned: new Set<string>(), blockings: new Set() },
      ...{ blocked: undefined, lost: undefined, hasRefused: false },
    };
    channel.on("error", (error) => opened.lost = error);
    channel.on("close", () => {
      opened.lost ??= new Error("the connection is lost");
      void this.#drop(opened);
    });
    channel.on("return", ({ properties }) => {
      opened.returned.add(`${properties.messageId}.${properties.headers?.["publication"]}`);
    });
    model.on("blocked", (reason) => {
      opened.blocked = new Error(`the broker takes no messages: ${reason}`);
      for (const giveUp of opened.blockings) giveUp(opened.blocked);
    });
    model.on("unblocked", () => opened.blocked = undefined);
    return opened;
  }

  async #drop(opened: Opened): Promise<void> {
    if (await this.#opening?.catch(() => undefined) === opened) this.#opening = undefined;
    await closeConnection(opened.model);
  }
}

/** The fate of a message that the broker has not taken. One that is too large ends the channel of all. */
function fateOf(error: Error, bytes: number): Published {
  const [, most] = /larger than configured max size (\d+)/.exec(error.message) ?? [];
  const isTooLarge = most !== undefined && bytes > Number(most);
  return isTooLarge ? { kind: "refused", error, tooLarge: true } : { kind: "unknown", error };
}
