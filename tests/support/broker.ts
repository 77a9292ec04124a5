/** A broker in memory, for tests: queues in order, deliveries that come again, and outages on demand. */

import type {
  Engine,
  EngineDelivery,
  EngineMessage,
  Published,
} from "../../supabase/functions/_shared/symphony/transport/engine.ts";

/** A copy of a message in the broker. */
interface Copy {
  readonly message: EngineMessage;
  deliveries: number;
}

/** A broker in memory. It keeps each message from its confirm to its acknowledgement, over lost connections too. */
export class Broker implements Engine {
  readonly capabilities = {
    fence: "enforced",
    order: "partition",
    lease: "fixed",
    maxBytes: 100_000,
  } as const;
  readonly outbox: boolean;
  /** All that was confirmed, in order. */
  readonly confirmed: EngineMessage[] = [];
  /** It cannot be reached: each call fails. */
  isAway = false;
  /** A pull waits for the first message no longer than this, in ms. */
  longestWaitMs = Infinity;
  /** The connection breaks after this many further messages: they are in, and their confirms are lost. */
  breaksAfter = Infinity;
  /** The fate of a message that is not taken. */
  refuse: (message: EngineMessage) => Published | null = () => null;
  #ready: Copy[] = [];
  #delivered = new Map<object, Copy>();
  #arrived: (() => void) | undefined;

  constructor(options: { readonly outbox?: boolean } = {}) {
    this.outbox = options.outbox ?? true;
  }

  /** Copies that wait or are delivered. */
  get size(): number {
    return this.#ready.length + this.#delivered.size;
  }

  publish(messages: readonly EngineMessage[]): Promise<readonly Published[]> {
    if (this.isAway) return Promise.reject(new Error("connection refused"));
    const fates = messages.map((message): Published => {
      if (this.breaksAfter < 0) return { kind: "unknown", error: new Error("connection lost") };
      const refused = this.refuse(message);
      if (refused) return refused;
      if (message.bytes > this.capabilities.maxBytes) {
        const error = new Error(`has ${message.bytes} bytes`);
        return { kind: "refused", error, tooLarge: true };
      }
      this.#ready.push({ message, deliveries: 0 });
      if (this.breaksAfter-- <= 0) return { kind: "unknown", error: new Error("connection lost") };
      this.confirmed.push(message);
      return { kind: "confirmed" };
    });
    if (this.breaksAfter < 0) this.loseConnection();
    this.#arrived?.();
    return Promise.resolve(fates);
  }

  async pull(request: Parameters<Engine["pull"]>[0]): Promise<readonly EngineDelivery[]> {
    const until = performance.now() + Math.min(request.waitMs, this.longestWaitMs);
    for (;;) {
      if (this.isAway) throw new Error("connection refused");
      const taken = this.#take(request);
      const leftMs = until - performance.now();
      if (taken.length > 0 || leftMs <= 0) return taken;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, leftMs);
      this.#arrived = resolve;
      await promise;
      clearTimeout(timer);
    }
  }

  #take({ max, maxBytes, queues }: Parameters<Engine["pull"]>[0]): EngineDelivery[] {
    let bytes = 0;
    const isWanted = ({ message }: Copy) => !queues || queues.includes(message.queue);
    const fits = ({ message }: Copy, place: number) =>
      (bytes += message.bytes) <= maxBytes || place === 0;
    const copies = this.#ready.filter(isWanted).slice(0, max).filter(fits);
    this.#ready = this.#ready.filter((copy) => !copies.includes(copy));
    return copies.map((copy) => {
      const handle = {};
      this.#delivered.set(handle, copy);
      const { id, publication, type, queue, body } = copy.message;
      return { id, publication, type, queue, body, redelivered: copy.deliveries++, handle };
    });
  }

  acknowledge(deliveries: readonly EngineDelivery[]): Promise<readonly boolean[]> {
    if (this.isAway) return Promise.reject(new Error("connection refused"));
    return Promise.resolve(
      deliveries.map(({ handle }) => this.#delivered.delete(handle as object)),
    );
  }

  giveBack(deliveries: readonly EngineDelivery[]): Promise<void> {
    for (const { handle } of deliveries.toReversed()) this.#return(handle as object);
    return Promise.resolve();
  }

  /** Ends the connection: what is delivered and not acknowledged comes again, and old acknowledgements are stale. */
  loseConnection(): void {
    this.breaksAfter = Infinity;
    for (const handle of [...this.#delivered.keys()].toReversed()) this.#return(handle);
  }

  /** Forgets all that it holds, as an engine does whose disk is lost. */
  loseMemory(): void {
    this.#ready = [];
    this.#delivered.clear();
  }

  #return(handle: object): void {
    const copy = this.#delivered.get(handle);
    if (!copy) return;
    this.#delivered.delete(handle);
    this.#ready.unshift(copy);
  }

  depth() {
    return Promise.resolve([
      { queue: "default", ready: this.#ready.length, unacknowledged: this.#delivered.size },
    ]);
  }

  declare(): Promise<void> {
    return Promise.resolve();
  }

  check(): Promise<[]> {
    return Promise.resolve([]);
  }

  close(): Promise<void> {
    this.loseConnection();
    return Promise.resolve();
  }
}
