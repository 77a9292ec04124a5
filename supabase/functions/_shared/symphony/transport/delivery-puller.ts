/** Pulls deliveries of an engine and reads them. Those that wait for others of their group leave room for the next ones. */

import { DeliveryReader, type ReaderParts } from "./delivery-reader.ts";
import type { Engine, EngineDelivery } from "./engine.ts";
import type { HeldDeliveries } from "./held-deliveries.ts";
import { TransportError } from "./transport.ts";

/** Most deliveries of one pull. */
const MOST_PULLED = 500;
/** While more deliveries, or more bytes, wait for others of their group, a worker looks no further past them. */
const MOST_WAITING = 2_000;
const MOST_WAITING_BYTES = 16 * 1024 * 1024;

/** The parts of a puller. */
export interface PullerParts extends ReaderParts {
  readonly engine: Pick<Engine, "pull" | "acknowledge">;
}

/** A request for deliveries. */
export interface PullRequest {
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** Longest wait for the first, in ms. */
  readonly waitMs: number;
  /** The queues; all by default. */
  readonly queues: readonly string[] | undefined;
}

/** Pulls deliveries, and adds them to those that a receiver holds. */
export class DeliveryPuller {
  readonly #reader: DeliveryReader;
  /** Pulled, and not read yet because home was out of reach. */
  #unread: readonly EngineDelivery[] = [];

  constructor(private readonly parts: PullerParts, private readonly held: HeldDeliveries) {
    this.#reader = new DeliveryReader(parts);
  }

  /** Whether some are pulled and not read. */
  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  /** Takes out those that are not read. */
  takeUnread(): readonly EngineDelivery[] {
    const unread = this.#unread;
    this.#unread = [];
    return unread;
  }

  /**
   * Pulls until a delivery may be taken: those of one group could else fill the worker while others wait behind them.
   * @throws TransportError if the engine or home cannot be reached
   */
  async pull({ maxMessages, maxBytes, waitMs, queues }: PullRequest): Promise<void> {
    do {
      const { count, bytes, byQueue: heldBack } = this.held.sum();
      if (count >= MOST_WAITING || bytes >= MOST_WAITING_BYTES) return;
      const max = Math.min(maxMessages, MOST_PULLED, MOST_WAITING - count);
      const request = { max, maxBytes, ...queues && { queues } };
      // A delivery that waits for its group is ready as soon as the message before it is settled.
      await this.#pull(count > 0 ? { ...request, waitMs: 0, heldBack } : { ...request, waitMs });
      if (this.held.waiting === count) return;
    } while (!this.held.hasReady);
  }

  /** @throws TransportError if home cannot be reached; what is not read yet is read by the next call */
  async read(): Promise<void> {
    let read = 0;
    try {
      for (const delivery of this.#unread) {
        this.held.add(await this.#reader.read([delivery]));
        read++;
      }
    } finally {
      this.#unread = this.#unread.slice(read);
    }
  }

  async #pull(request: Parameters<Engine["pull"]>[0]): Promise<void> {
    const { engine, name } = this.parts;
    try {
      this.#unread = await engine.pull(request);
    } catch (error) {
      throw new TransportError("claim", `${name}: ${error}`, true, { cause: error });
    }
    await this.read();
  }
}
