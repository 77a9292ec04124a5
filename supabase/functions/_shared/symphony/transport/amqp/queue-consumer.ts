/** One queue of which a worker receives, on a channel of its own: trouble of a queue stays its own. */

import type { Channel, ChannelModel, ConsumeMessage, Message } from "amqplib";
import { within } from "../../runtime/within.ts";
import type { EngineDelivery } from "../engine.ts";

/** The parts of a consumer. */
export interface ConsumerParts {
  /** Name of the queue, and its name in the broker. */
  readonly queue: string;
  readonly brokerQueue: string;
  /** Most deliveries that are not acknowledged. */
  readonly prefetch: number;
  /** Another worker would get the messages behind if this one ceased to consume for a moment. */
  readonly isOrdered: boolean;
  /** Bound of one call, in ms. */
  readonly timeoutMs: number;
  /** Called when it receives no more, and nothing of it can be acknowledged. */
  readonly onLost: (consumer: QueueConsumer) => void;
  readonly onDelivery: (delivery: Received) => void;
}

/** The handle of a delivery: its tag, which means something only to its consumer. */
export interface DeliveryHandle {
  readonly consumer: QueueConsumer;
  readonly tag: number;
}

/** A delivery, and the size of its body in bytes. */
export interface Received extends EngineDelivery {
  readonly handle: DeliveryHandle;
  readonly bytes: number;
}

/** Consumes one queue. */
export class QueueConsumer {
  /** Tags that are not acknowledged, ascending. */
  readonly #outstanding = new Set<number>();
  #isLost = false;
  /** The broker's name of the subscription, undefined while there is none, and the tag before its first delivery. */
  #subscription: string | undefined;
  #subscribedAfter = 0;
  #latestTag = 0;

  private constructor(
    private readonly parts: ConsumerParts,
    private readonly channel: Channel,
  ) {
    channel.on("close", () => this.#lose());
  }

  /**
   * Begins to receive.
   * @throws Error if the queue is not declared, or the broker does not answer
   */
  static async open(model: ChannelModel, parts: ConsumerParts): Promise<QueueConsumer> {
    const { prefetch, timeoutMs } = parts;
    const late = lateAnswer(parts);
    const opening = model.createChannel();
    const end = () => void opening.then((channel) => channel.close()).catch(() => {});
    try {
      const channel = await within(opening, timeoutMs, late);
      // The calls tell their errors. Without a listener one would end the process.
      channel.on("error", () => {});
      const consumer = new QueueConsumer(parts, channel);
      await within(channel.prefetch(prefetch), timeoutMs, late);
      await consumer.#subscribe();
      return consumer;
    } catch (error) {
      // A channel without a user would stay open as long as the connection.
      end();
      throw error;
    }
  }

  /** Name of the queue. */
  get queue(): string {
    return this.parts.queue;
  }

  /** Whether it receives no more. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Number of deliveries that are not acknowledged. */
  get outstanding(): number {
    return this.#outstanding.size;
  }

  /**
   * Acknowledges deliveries: those before which all are acknowledged with one frame.
   * @returns for each tag whether it was not stale
   */
  acknowledge(tags: readonly number[]): readonly boolean[] {
    return this.#end(tags, (message, allUpTo) => this.channel.ack(message, allUpTo));
  }

  /**
   * Lets further messages come if most of those that are not acknowledged are held back. The broker counts the prefetch
   * by subscription, and a quorum queue has no other bound: a new subscription gets as many again, and the deliveries
   * of the one before remain. Never throws.
   * @param heldBack deliveries that wait for others of their group
   * @returns whether it has subscribed again
   */
  async lookPast(heldBack: number): Promise<boolean> {
    const { prefetch, isOrdered } = this.parts;
    const before = this.#subscription;
    if (isOrdered || this.#isLost || before === undefined) return false;
    const recent = [...this.#outstanding].filter((tag) => tag > this.#subscribedAfter).length;
    if (recent < prefetch || this.#outstanding.size - heldBack > prefetch / 2) return false;
    this.#subscription = undefined;
    try {
      await within(this.channel.cancel(before), this.parts.timeoutMs, lateAnswer(this.parts));
      await this.#subscribe();
      return true;
    } catch {
      await this.close();
      return false;
    }
  }

  /** Puts deliveries back. */
  giveBack(tags: readonly number[]): void {
    this.#end(tags, (message, allUpTo) => this.channel.nack(message, allUpTo, true));
  }

  /** Ends: what was acknowledged has arrived, and the rest is put back. Never throws. */
  async close(): Promise<void> {
    if (this.#isLost) return;
    const late = () => new Error("takes too long");
    await within(this.channel.close(), this.parts.timeoutMs, late).catch(() => {});
    this.#lose();
  }

  /** @throws Error if the queue is not declared, or the broker does not answer */
  async #subscribe(): Promise<void> {
    const { brokerQueue, timeoutMs } = this.parts;
    this.#subscribedAfter = this.#latestTag;
    const consuming = this.channel.consume(brokerQueue, (message) => this.#receive(message));
    const { consumerTag } = await within(consuming, timeoutMs, lateAnswer(this.parts));
    this.#subscription = consumerTag;
  }

  #end(
    tags: readonly number[],
    send: (message: Message, allUpTo: boolean) => void,
  ): readonly boolean[] {
    const wanted = new Set(tags.filter((tag) => !this.#isLost && this.#outstanding.has(tag)));
    const told = tags.map((tag) => wanted.has(tag));
    let upTo = 0;
    for (const tag of this.#outstanding) {
      if (!wanted.has(tag)) break;
      upTo = tag;
    }
    try {
      if (upTo > 0) send(withTag(upTo), true);
      for (const tag of [...wanted].toSorted((a, b) => a - b)) {
        if (tag > upTo) send(withTag(tag), false);
        this.#outstanding.delete(tag);
      }
      return told;
    } catch {
      // The channel was closed a moment ago.
      this.#lose();
      return tags.map(() => false);
    }
  }

  #receive(message: ConsumeMessage | null): void {
    if (message === null) {
      // The queue is deleted, or its leader is gone.
      void this.close();
      return;
    }
    const { fields: { deliveryTag: tag, redelivered }, properties, content } = message;
    const { type, publication, "x-delivery-count": count } = properties.headers ?? {};
    this.#outstanding.add(tag);
    this.#latestTag = tag;
    this.parts.onDelivery({
      ...{ id: textOf(properties.messageId), publication: Number(textOf(publication)) },
      ...{ type: textOf(type ?? properties.type), queue: this.parts.queue },
      ...{ body: content.toString(), bytes: content.length },
      redelivered: Math.max(Number(textOf(count)) || 0, redelivered ? 1 : 0),
      handle: { consumer: this, tag },
    });
  }

  #lose(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#outstanding.clear();
    this.parts.onLost(this);
  }
}

function lateAnswer({ queue, timeoutMs }: ConsumerParts): () => Error {
  return () => new Error(`queue ${queue}: gave no answer within ${timeoutMs} ms`);
}

/** A header of any program may be a table or a list, of which a text may not be made. */
function textOf(header: unknown): string {
  return typeof header === "string" || typeof header === "number" ? String(header) : "";
}

/** The client reads nothing but the tag of a message. */
function withTag(deliveryTag: number): Message {
  return { fields: { deliveryTag } } as Message;
}
