/** The deliveries that a receiver holds: those that wait for their turn, and those that a worker runs. */

import type { Envelope, Stamps } from "../message/envelope.ts";
import type { EngineBody } from "./engine-body.ts";
import type { EngineDelivery } from "./engine.ts";

/** Earlier deliveries of one copy from which on its starts are counted. Most often it has been in no run until then. */
const COUNTED_AFTER = 8;
/** Number of starts without an outcome from which on the next one counts as a crash. */
const CRASHED_AFTER = 3;
/** Furthest due time from now, in ms, that is told apart. */
const FURTHEST_DUE_MS = 2 ** 30;
/** The largest integer of a column, less one for the next attempt. */
const MOST = 2 ** 31 - 2;

/** A delivery that waits for its turn. */
export interface WaitingDelivery {
  /** Id of the message at home: its own, or a new one if it comes from another installation. */
  readonly id: string;
  readonly delivery: EngineDelivery;
  readonly body: EngineBody;
  /** A copy of it may have been handled. */
  mayBeRepeated: boolean;
}

/** Deliveries that wait for their turn, in total. */
export interface Waiting {
  readonly count: number;
  readonly bytes: number;
  readonly byQueue: ReadonlyMap<string, number>;
}

/** A delivery that a worker holds. */
export interface HeldDelivery extends WaitingDelivery {
  envelope: Envelope;
  /** It has become a running message of home. */
  isAdopted: boolean;
}

/**
 * Hands out deliveries in their order: of a group, and of the copies of one message, only one at a time. A
 * later message of a group would else overtake the one that runs.
 */
export class HeldDeliveries {
  #waiting: WaitingDelivery[] = [];
  readonly #held = new Map<string, HeldDelivery>();
  readonly #groups = new Set<string>();
  /** The groups of deliveries, each made once: those that wait are looked at again and again. */
  readonly #groupOf = new WeakMap<EngineDelivery, string>();

  /** Number of deliveries that wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The deliveries that wait for their turn: their number, their bytes, and their numbers by queue. */
  sum(): Waiting {
    const byQueue = new Map<string, number>();
    let bytes = 0;
    for (const { delivery: { queue, body } } of this.#waiting) {
      bytes += body.length;
      byQueue.set(queue, (byQueue.get(queue) ?? 0) + 1);
    }
    return { count: this.#waiting.length, bytes, byQueue };
  }

  /** Whether a delivery may be taken. */
  get hasReady(): boolean {
    return this.#waiting.some((one) => this.#isFree(one));
  }

  /** Takes in deliveries, in the order of the engine. */
  add(deliveries: readonly WaitingDelivery[]): void {
    this.#waiting.push(...deliveries);
  }

  /**
   * Takes the next deliveries.
   * @param limits.maxBytes of their bodies together; one is taken in any case
   * @param leaseToken the fence of the claim
   * @param now in ms since 1970
   */
  take(
    limits: { readonly max: number; readonly maxBytes: number },
    leaseToken: string,
    now: number,
  ): HeldDelivery[] {
    const taken: HeldDelivery[] = [];
    let bytes = 0;
    this.#waiting = this.#waiting.filter((one) => {
      const size = one.delivery.body.length;
      const fits = taken.length === 0 || bytes + size <= limits.maxBytes;
      if (taken.length >= limits.max || !fits || !this.#isFree(one)) return true;
      bytes += size;
      const held = { ...one, envelope: toEnvelope(one, leaseToken, now), isAdopted: false };
      this.#held.set(one.id, held);
      const group = this.#group(held);
      if (group !== undefined) this.#groups.add(group);
      taken.push(held);
      return false;
    });
    return taken;
  }

  /** The delivery of a message under a lease; undefined if it is held no more. */
  get(id: string, leaseToken: string): HeldDelivery | undefined {
    const held = this.#held.get(id);
    return held?.envelope.leaseToken === leaseToken ? held : undefined;
  }

  /** Forgets deliveries that are settled: the next of their groups may be taken. */
  remove(deliveries: readonly HeldDelivery[]): void {
    for (const held of deliveries) {
      this.#held.delete(held.id);
      const group = this.#group(held);
      if (group !== undefined) this.#groups.delete(group);
    }
  }

  /** Lets deliveries wait again that no worker has begun to run. */
  putBack(deliveries: readonly HeldDelivery[]): void {
    this.remove(deliveries);
    this.#waiting.unshift(...deliveries);
  }

  /** Splits deliveries: `kept` are those behind which others of their groups wait, `free` are the rest. */
  splitByLater(deliveries: readonly HeldDelivery[]) {
    const waiting = new Set(
      deliveries.length > 0 ? this.#waiting.map((one) => this.#group(one)) : [],
    );
    waiting.delete(undefined);
    const hasLater = (one: HeldDelivery) => waiting.has(this.#group(one));
    return { kept: deliveries.filter(hasLater), free: deliveries.filter((one) => !hasLater(one)) };
  }

  /** Takes out all deliveries that wait for their turn. */
  takeWaiting(): readonly WaitingDelivery[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /** Forgets all deliveries: the engine has them again. */
  clear(): void {
    this.#waiting = [];
    this.#held.clear();
    this.#groups.clear();
  }

  #isFree(one: WaitingDelivery): boolean {
    if (this.#held.has(one.id)) {
      one.mayBeRepeated = true;
      return false;
    }
    const group = this.#group(one);
    return group === undefined || !this.#groups.has(group);
  }

  #group({ delivery, body }: WaitingDelivery): string | undefined {
    if (body.groupKey === null) return undefined;
    const known = this.#groupOf.get(delivery);
    if (known !== undefined) return known;
    const group = JSON.stringify([delivery.queue, body.groupKey]);
    this.#groupOf.set(delivery, group);
    return group;
  }
}

/** Whether a copy has come so often that its starts are counted. A broker counts those that were never started too. */
export function isCounted({ delivery }: WaitingDelivery): boolean {
  return delivery.redelivered >= COUNTED_AFTER;
}

/**
 * Whether the workers that had this copy before have probably crashed with it. Its envelope says so then: the next
 * crash is charged as a retry.
 * @param starts how often a worker took it, this time included
 */
export function isCrashed(held: HeldDelivery, starts: number): boolean {
  if (starts <= CRASHED_AFTER) return false;
  const attempts = Math.min(held.envelope.attempts + held.delivery.redelivered, MOST);
  held.envelope = { ...held.envelope, attempts, quarantined: true };
  return true;
}

function toEnvelope(waiting: WaitingDelivery, leaseToken: string, now: number): Envelope {
  const { id, delivery, body } = waiting;
  const { type, queue } = delivery;
  const availableAt = new Date(body.availableAt ?? body.createdAt);
  const dueInMs = Math.min(Math.max(availableAt.getTime() - now, -FURTHEST_DUE_MS), 0);
  const expiresAt = body.expiresAt === null ? null : new Date(body.expiresAt);
  return {
    ...{ id, type, queue, leaseToken, expiresAt },
    payload: body.payload,
    priority: body.priority,
    availableAt,
    createdAt: new Date(body.createdAt),
    expired: expiresAt !== null && expiresAt.getTime() <= now,
    retryCount: Math.min(body.retryCount, MOST),
    attempts: Math.min(body.attempts + 1, MOST),
    groupKey: body.groupKey,
    stamps: body.stamps as Stamps,
    quarantined: false,
    snoozes: body.snoozes,
    interruptions: body.interruptions,
    dueAtMs: Math.round(performance.now() + dueInMs),
    bytes: delivery.body.length,
  };
}
