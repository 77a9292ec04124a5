/**
 * The prefetch size: how many messages a worker holds. A message that waits behind running handlers could
 * run in another worker. Therefore only as many wait as the handlers need until the next claim arrives.
 */

/**
 * Shortest time that the waiting messages should last. Fewer messages are not worth a round trip: a call of
 * 50 costs Postgres twice as much a message as one of 500.
 */
const SHORTEST_SUPPLY_MS = 100;
/** Where round trips are long, the waiting messages should last for this many of them. */
const ROUND_TRIPS = 2;
/** Weight of the latest measurement in a moving average. */
const WEIGHT = 0.2;

/** Measures how fast a worker is, and tells how many messages to claim. */
export class PrefetchSize {
  readonly #slots: number;
  readonly #most: number;
  /** Ms that a slot needs for one message; null before the first measurement. */
  #messageMs: number | null = null;
  #roundTripMs: number | null = null;
  /** Messages that a slot takes: more than one for batch handlers. */
  #perSlot: number | null = null;

  /** @param limits.slots handlers that run at once; @param limits.most messages held at once */
  constructor(limits: { readonly slots: number; readonly most: number }) {
    this.#slots = limits.slots;
    this.#most = limits.most;
  }

  /** A slot has started. @param capacity most messages that it could have taken */
  started(capacity: number): void {
    this.#perSlot = average(this.#perSlot, capacity);
  }

  /** A slot has needed `ms` for its messages. */
  done(ms: number, messages: number): void {
    this.#messageMs = average(this.#messageMs, ms / messages);
  }

  /** A round trip has taken `ms`. */
  roundTrip(ms: number): void {
    this.#roundTripMs = average(this.#roundTripMs, ms);
  }

  /**
   * How many messages may wait while all slots are busy. Before the first measurement: one for each slot.
   * @param stalledMs how long no slot has become free; 0 if one is free
   */
  behindSlots(stalledMs = 0): number {
    const most = Math.max(0, this.#most - this.#slots);
    if (this.#messageMs === null) return Math.min(most, this.#slots);
    const messageMs = Math.max(this.#messageMs, stalledMs, 0.001);
    const lastsMs = Math.max(SHORTEST_SUPPLY_MS, (this.#roundTripMs ?? 0) * ROUND_TRIPS);
    return Math.min(most, Math.ceil(this.#slots * lastsMs / messageMs));
  }

  /** How many more messages to hold now, and how many of them are worth a claim of their own. */
  room({ busy, running, waiting, stalledMs }: {
    /** Slots that are not free. */
    readonly busy: number;
    /** Messages in these slots. */
    readonly running: number;
    /** Claimed messages that wait for a slot. */
    readonly waiting: number;
    readonly stalledMs: number;
  }): { readonly room: number; readonly worthwhile: number } {
    const behindSlots = this.behindSlots(stalledMs);
    const startable = Math.ceil((this.#slots - busy) * (this.#perSlot ?? 1));
    const room = Math.min(this.#most - running, startable + behindSlots) - waiting;
    return { room: Math.max(0, room), worthwhile: Math.max(1, Math.ceil(behindSlots / 2)) };
  }
}

function average(before: number | null, latest: number): number {
  return before === null ? latest : before + (latest - before) * WEIGHT;
}
