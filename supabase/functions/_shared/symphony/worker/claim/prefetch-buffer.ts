/** The prefetch buffer: messages that are claimed and not yet started, in the order of their start. */

import type { Envelope } from "../../message/envelope.ts";
import { isLane } from "../../message/lane.ts";
import { lanesInTurn } from "./lanes-in-turn.ts";

interface Urgent {
  readonly envelope: Envelope;
  /** End of its start window, on the clock of performance.now(). */
  readonly startBy: number;
}

/**
 * Keeps claimed messages until a slot is free. Messages of queues with a rate go first: their start window
 * is short, and after it they have to be given back. Lanes of one queue take turns.
 */
export class PrefetchBuffer implements Iterable<Envelope> {
  #urgent: Urgent[] = [];
  #others: Envelope[] = [];

  get size(): number {
    return this.#urgent.length + this.#others.length;
  }

  *[Symbol.iterator](): Generator<Envelope> {
    for (const { envelope } of this.#urgent) yield envelope;
    yield* this.#others;
  }

  /** When the first start window ends; Infinity if no message has one. */
  get startBy(): number {
    let first = Infinity;
    for (const { startBy } of this.#urgent) first = Math.min(first, startBy);
    return first;
  }

  /** @param askedAt when the claim was sent, on the clock of performance.now() */
  add(envelopes: readonly Envelope[], askedAt: number): void {
    let inLanes = false;
    for (const envelope of envelopes) {
      const { queue, startWindowMs = null } = envelope;
      inLanes ||= isLane(queue);
      if (startWindowMs === null) this.#others.push(envelope);
      else this.#urgent.push({ envelope, startBy: askedAt + startWindowMs });
    }
    if (inLanes) this.#others = lanesInTurn(this.#others);
  }

  /**
   * Takes the messages that one slot runs: one message, or several of a type that a batch handler takes.
   * @param capacity most messages of a type that a slot takes
   */
  take(capacity: (type: string) => number): Envelope[] {
    const first = this.#urgent.shift()?.envelope ?? this.#others.shift();
    if (!first) return [];
    const size = first.quarantined ? 1 : capacity(first.type);
    if (size === 1) return [first];
    const taken = [first];
    const joins = (envelope: Envelope) =>
      taken.length < size && envelope.type === first.type && !envelope.quarantined &&
      taken.push(envelope) > 0;
    this.#urgent = this.#urgent.filter(({ envelope }) => !joins(envelope));
    this.#others = this.#others.filter((envelope) => !joins(envelope));
    return taken;
  }

  /** Takes the messages whose start window is over. */
  takeLate(now: number): Envelope[] {
    if (this.#urgent.length === 0) return [];
    const late = this.#urgent.filter(({ startBy }) => startBy <= now);
    if (late.length > 0) this.#urgent = this.#urgent.filter(({ startBy }) => startBy > now);
    return late.map(({ envelope }) => envelope);
  }

  /** Takes the last messages, and leaves the first `size` of those without a start window. */
  takeBeyond(size: number): Envelope[] {
    return this.#others.splice(size);
  }

  /** Takes the messages with these ids. */
  takeOut(ids: readonly string[]): Envelope[] {
    const meant = new Set(ids);
    const taken = [...this].filter(({ id }) => meant.has(id));
    this.#urgent = this.#urgent.filter(({ envelope }) => !meant.has(envelope.id));
    this.#others = this.#others.filter(({ id }) => !meant.has(id));
    return taken;
  }

  /** Takes all messages. */
  takeAll(): Envelope[] {
    const all = [...this];
    this.#urgent = [];
    this.#others = [];
    return all;
  }
}
