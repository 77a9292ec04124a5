/** Messages that are claimed and wait for a slot, in the order in which they are to start. */

import type { Envelope } from "../../message/envelope.ts";

interface Urgent {
  readonly envelope: Envelope;
  /** On the clock of performance.now(). */
  readonly startBy: number;
}

/** Those of queues with a rate go first, for they have to start soon or not at all. */
export class Inbox implements Iterable<Envelope> {
  #urgent: Urgent[] = [];
  #others: Envelope[] = [];

  get size(): number {
    return this.#urgent.length + this.#others.length;
  }

  *[Symbol.iterator](): Generator<Envelope> {
    for (const { envelope } of this.#urgent) yield envelope;
    yield* this.#others;
  }

  /** The first moment at which a message will have waited too long; Infinity where none has to hurry. */
  get startBy(): number {
    let first = Infinity;
    for (const { startBy } of this.#urgent) first = Math.min(first, startBy);
    return first;
  }

  /** @param askedAt when the claim was asked for, on the clock of performance.now() */
  add(envelopes: readonly Envelope[], askedAt: number): void {
    for (const envelope of envelopes) {
      const { startWindowMs = null } = envelope;
      if (startWindowMs === null) this.#others.push(envelope);
      else this.#urgent.push({ envelope, startBy: askedAt + startWindowMs });
    }
  }

  /**
   * Takes what one slot is to run: a message, with others of its type where they are handled together.
   * @param capacity how many messages of a type a slot takes
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

  /** Takes out those that had to start by now. */
  takeLate(now: number): Envelope[] {
    if (this.#urgent.length === 0) return [];
    const late = this.#urgent.filter(({ startBy }) => startBy <= now);
    if (late.length > 0) this.#urgent = this.#urgent.filter(({ startBy }) => startBy > now);
    return late.map(({ envelope }) => envelope);
  }

  /** Takes out the last ones, so that `size` of those that need not hurry are left. */
  takeBeyond(size: number): Envelope[] {
    return this.#others.splice(size);
  }

  /** Takes out those with the ids. */
  takeOut(ids: readonly string[]): Envelope[] {
    const meant = new Set(ids);
    const taken = [...this].filter(({ id }) => meant.has(id));
    this.#urgent = this.#urgent.filter(({ envelope }) => !meant.has(envelope.id));
    this.#others = this.#others.filter(({ id }) => !meant.has(id));
    return taken;
  }

  /** Takes out all. */
  takeAll(): Envelope[] {
    const all = [...this];
    this.#urgent = [];
    this.#others = [];
    return all;
  }
}
