/**
 * How many messages a worker holds. What waits behind running handlers could be another worker's, so
 * no more wait than the handlers get through until the next claim is there.
 */

/** Messages for less than so many ms are not worth another round trip. */
const SHORTEST_STOCK_MS = 100;
/** Otherwise the stock lasts for so many round trips. */
const ROUND_TRIPS = 2;
/** Weight of the latest measurement in a moving average. */
const WEIGHT = 0.2;

/** Learns how fast a worker is, and says how many messages to claim. */
export class Pace {
  readonly #slots: number;
  readonly #most: number;
  /** Ms that a slot is busy with one message; null before the first is done. */
  #messageMs: number | null = null;
  #roundTripMs: number | null = null;
  /** Messages that fit into a slot: more than one where handlers take batches. */
  #perSlot: number | null = null;

  /** @param limits.slots handlers that run at once; @param limits.most messages held at once */
  constructor(limits: { readonly slots: number; readonly most: number }) {
    this.#slots = limits.slots;
    this.#most = limits.most;
  }

  /** A slot was given messages; it could have taken `capacity` of them. */
  started(capacity: number): void {
    this.#perSlot = average(this.#perSlot, capacity);
  }

  /** A slot was busy with so many messages for so many ms. */
  done(ms: number, messages: number): void {
    this.#messageMs = average(this.#messageMs, ms / messages);
  }

  /** The database took so many ms to answer. */
  exchanged(ms: number): void {
    this.#roundTripMs = average(this.#roundTripMs, ms);
  }

  /**
   * Messages that may wait while all slots are busy; one for each slot before anything is known.
   * @param stalledMs for how long no slot has become free, where none is
   */
  stock(stalledMs = 0): number {
    const most = Math.max(0, this.#most - this.#slots);
    if (this.#messageMs === null) return Math.min(most, this.#slots);
    const messageMs = Math.max(this.#messageMs, stalledMs, 0.001);
    const lastsMs = Math.max(SHORTEST_STOCK_MS, (this.#roundTripMs ?? 0) * ROUND_TRIPS);
    return Math.min(most, Math.ceil(this.#slots * lastsMs / messageMs));
  }

  /** How many more messages to hold now, and how many of them are worth a claim of their own. */
  room({ busy, running, waiting, stalledMs }: {
    /** Slots that are not free. */
    readonly busy: number;
    /** Messages in them. */
    readonly running: number;
    /** Messages that are claimed and wait for a slot. */
    readonly waiting: number;
    readonly stalledMs: number;
  }): { readonly room: number; readonly worthwhile: number } {
    const stock = this.stock(stalledMs);
    const startable = Math.ceil((this.#slots - busy) * (this.#perSlot ?? 1));
    const room = Math.min(this.#most - running, startable + stock) - waiting;
    return { room: Math.max(0, room), worthwhile: Math.max(1, Math.ceil(stock / 2)) };
  }
}

function average(before: number | null, latest: number): number {
  return before === null ? latest : before + (latest - before) * WEIGHT;
}
