/**
 * Receiving from RabbitMQ: the broker sends messages ahead, up to the prefetch of each queue, and a pull takes what has
 * come. Asking for each message (`basic.get`) is a hundred times slower with quorum queues.
 */

import type { ChannelModel } from "amqplib";
import type { Engine, EngineDelivery } from "../engine.ts";
import { closeConnection, type Connector } from "./connector.ts";
import type { AmqpSettings } from "./options.ts";
import { type DeliveryHandle, QueueConsumer, type Received } from "./queue-consumer.ts";

/** How long a pull waits for what is behind the deliveries that are held back, in ms. */
const LOOK_PAST_MS = 50;

/** Receives messages. */
export class BrokerReceiver {
  #connecting: Promise<ChannelModel> | undefined;
  readonly #consumers = new Map<string, Promise<QueueConsumer>>();
  /** Queues that are consumed. */
  readonly #open = new Set<string>();
  /** Deliveries that are not pulled, in the order of arrival. */
  #arrived: Received[] = [];
  /** Wakes the pulls that wait. */
  #news = Promise.withResolvers<void>();

  constructor(
    private readonly settings: AmqpSettings,
    private readonly connector: Connector,
  ) {}

  /** See {@link Engine.pull}. @throws Error if the broker, or each queue of which nothing came, is in trouble */
  async pull(request: Parameters<Engine["pull"]>[0]): Promise<readonly EngineDelivery[]> {
    const { waitMs, queues = this.settings.queues, heldBack } = request;
    const wanted = this.settings.queues.filter((queue) => queues.includes(queue));
    let until = performance.now() + waitMs;
    let trouble: Error | null | undefined;
    const note = (found: Error | null) => {
      trouble = found;
      this.#tell();
    };
    // A queue whose leader is gone takes a while to answer, and holds up no other.
    this.#consume(wanted).then(note, note);
    const hasNone = !this.#arrived.some(({ queue }) => wanted.includes(queue));
    if (heldBack && hasNone && await this.#lookPast(heldBack)) {
      until = Math.max(until, performance.now() + LOOK_PAST_MS);
    }
    for (;;) {
      const taken = this.#take(request, new Set(wanted));
      const leftMs = until - performance.now();
      if (taken.length > 0) return taken;
      if (trouble) throw trouble;
      if (leftMs <= 0 && (trouble === null || wanted.some((queue) => this.#open.has(queue)))) {
        return [];
      }
      await this.#wait(leftMs > 0 ? leftMs : this.settings.timeoutMs);
    }
  }

  /** See {@link Engine.acknowledge}. */
  acknowledge(deliveries: readonly EngineDelivery[]): readonly boolean[] {
    const told = new Map<EngineDelivery, boolean>();
    for (const [consumer, own] of byConsumer(deliveries)) {
      const results = consumer.acknowledge(own.map(({ tag }) => tag));
      own.forEach(({ delivery }, index) => told.set(delivery, results[index] ?? false));
    }
    return deliveries.map((delivery) => told.get(delivery) ?? false);
  }

  /** See {@link Engine.giveBack}. */
  giveBack(deliveries: readonly EngineDelivery[]): void {
    for (const [consumer, own] of byConsumer(deliveries)) {
      consumer.giveBack(own.map(({ tag }) => tag));
    }
  }

  /** Deliveries of a queue that this process holds. */
  async outstanding(queue: string): Promise<number> {
    const consumer = await this.#consumers.get(queue)?.catch(() => undefined);
    return consumer?.outstanding ?? 0;
  }

  /** Puts back what is not acknowledged, and ends the connection; the next pull opens another. Never throws. */
  async close(): Promise<void> {
    const consumers = await Promise.allSettled(this.#consumers.values());
    await Promise.all(
      consumers.map((one) => one.status === "fulfilled" ? one.value.close() : undefined),
    );
    const connecting = this.#connecting;
    this.#connecting = undefined;
    const model = await connecting?.catch(() => undefined);
    if (model) await closeConnection(model);
  }

  #take(
    { max, maxBytes }: Parameters<Engine["pull"]>[0],
    wanted: ReadonlySet<string>,
  ): EngineDelivery[] {
    const taken: EngineDelivery[] = [];
    let bytes = 0;
    let isFull = false;
    this.#arrived = this.#arrived.filter((one) => {
      if (isFull || !wanted.has(one.queue)) return true;
      isFull = taken.length >= max || taken.length > 0 && bytes + one.bytes > maxBytes;
      if (isFull) return true;
      bytes += one.bytes;
      taken.push(one);
      return false;
    });
    return taken;
  }

  /** @returns whether more may come */
  async #lookPast(heldBack: ReadonlyMap<string, number>): Promise<boolean> {
    const looked = [...heldBack].map(async ([queue, count]) => {
      const consumer = await this.#consumers.get(queue)?.catch(() => undefined);
      return await consumer?.lookPast(count) ?? false;
    });
    return (await Promise.all(looked)).includes(true);
  }

  /** Waits for a delivery or a loss. */
  async #wait(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#tell(), ms);
    await this.#news.promise;
    clearTimeout(timer);
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /**
   * Opens what is not consumed yet.
   * @returns the first queue's trouble; null if there is none
   * @throws Error if the broker cannot be reached
   */
  async #consume(queues: readonly string[]): Promise<Error | null> {
    const model = await this.#connect();
    const opened = await Promise.allSettled(queues.map((queue) => {
      const opening = this.#consumers.get(queue) ?? this.#begin(model, queue);
      this.#consumers.set(queue, opening);
      return opening;
    }));
    const failed = opened.find((one) => one.status === "rejected");
    return failed ? new Error(String(failed.reason?.message ?? failed.reason)) : null;
  }

  async #begin(model: ChannelModel, queue: string): Promise<QueueConsumer> {
    const { prefix, prefetch, timeoutMs, ordered } = this.settings;
    try {
      const consumer = await QueueConsumer.open(model, {
        ...{ queue, brokerQueue: prefix + queue, prefetch, timeoutMs },
        isOrdered: ordered.has(queue),
        onDelivery: (delivery) => {
          this.#arrived.push(delivery);
          this.#tell();
        },
        onLost: (lost) => this.#forget(queue, lost),
      });
      if (consumer.isLost) throw new Error(`queue ${queue}: the connection is lost`);
      this.#open.add(queue);
      return consumer;
    } catch (error) {
      this.#consumers.delete(queue);
      throw error;
    }
  }

  #forget(queue: string, lost: QueueConsumer): void {
    this.#consumers.delete(queue);
    this.#open.delete(queue);
    // The broker gives them to another worker.
    this.#arrived = this.#arrived.filter(({ handle }) => handle.consumer !== lost);
    this.#tell();
  }

  #connect(): Promise<ChannelModel> {
    if (this.#connecting) return this.#connecting;
    const connecting = this.connector.open();
    const forget = () => {
      if (this.#connecting === connecting) this.#connecting = undefined;
    };
    connecting.then((model) => model.on("close", forget), forget);
    return this.#connecting = connecting;
  }
}

/** Deliveries by their consumers, in order. */
function byConsumer(deliveries: readonly EngineDelivery[]) {
  const groups = Map.groupBy(
    deliveries.flatMap((delivery) => {
      const handle: Partial<DeliveryHandle> = Object(delivery.handle);
      return handle.consumer instanceof QueueConsumer && handle.tag !== undefined
        ? [{ delivery, consumer: handle.consumer, tag: handle.tag }]
        : [];
    }),
    ({ consumer }) => consumer,
  );
  return groups;
}
