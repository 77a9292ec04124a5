/** The queues of the transport in memory: their settings, and the starts that their limits allow. */

import { isLane, parentQueue } from "../message/lane.ts";

/** Settings of a queue by an operator; the columns of `messenger_queues`. */
export interface QueueSettings {
  /** Whether the queue accepts messages without any being claimed. */
  readonly paused?: boolean;
  /** Largest number of its messages that are leased at once. */
  readonly concurrency?: number;
  /** Largest number of messages of one group that run at once; 1 by default, which keeps strict order. */
  readonly groupConcurrency?: number;
  /** Largest number of its messages that are started in any period. */
  readonly rateLimit?: number;
  /** Period of the rate, in ms; 1,000 by default. */
  readonly ratePeriodMs?: number;
  /** Its share of each claim, in relation to the weights of other queues; 1 by default. */
  readonly weight?: number;
  /** Length of its leases, in ms; by default as the worker requests. */
  readonly leaseMs?: number;
  /** With `worker`, only claims that name the queue take its messages; `tick` by default. */
  readonly runsOn?: "tick" | "worker";
  /** Largest number of messages of one lane that are leased at once. */
  readonly laneConcurrency?: number;
  /** Largest number of messages of one lane that are started in any `laneRatePeriodMs`. */
  readonly laneRateLimit?: number;
  /** Period of the rate of lanes, in ms; 1,000 by default. */
  readonly laneRatePeriodMs?: number;
}

interface Grant {
  readonly passesAt: number;
  readonly messages: number;
}

/** The queues' settings, and the starts that were granted under their rates. */
export class MemoryQueues {
  readonly #settings = new Map<string, QueueSettings>();
  readonly #grants = new Map<string, Grant[]>();

  /** The settings of a queue, empty if none were given; of a lane its own, and the others as its queue gives them. */
  get(queue: string): QueueSettings {
    const own = this.#settings.get(queue) ?? {};
    if (!isLane(queue)) return own;
    const parent = this.get(parentQueue(queue));
    const { concurrency = parent.laneConcurrency, rateLimit = parent.laneRateLimit } = own;
    const ratePeriodMs = own.rateLimit === undefined ? parent.laneRatePeriodMs : own.ratePeriodMs;
    const { concurrency: _, rateLimit: __, ratePeriodMs: ___, weight: ____, ...inherited } = parent;
    return {
      ...inherited,
      paused: own.paused || parent.paused || false,
      weight: own.weight ?? 1,
      ...(concurrency !== undefined && { concurrency }),
      ...(rateLimit !== undefined && { rateLimit }),
      ...(ratePeriodMs !== undefined && { ratePeriodMs }),
    };
  }

  /** Changes settings of a queue; those that are not given stay. */
  set(queue: string, settings: QueueSettings): void {
    this.#settings.set(queue, { ...this.#settings.get(queue), ...settings });
  }

  /** Whether the queue has a rate; for a lane, whether it has one or its queue as a whole. */
  isRated(queue: string): boolean {
    return withParent(queue).some((name) => this.get(name).rateLimit !== undefined);
  }

  /**
   * When the limits let the queue's next message start.
   * @param leases when the live leases of the queue end, in ms
   * @returns ms since 1970; -Infinity if they let it start already
   */
  opensAt(queue: string, leases: readonly number[], now: number): number {
    const { concurrency = Infinity, rateLimit = Infinity } = this.get(queue);
    const lease = leases.toSorted((a, b) => b - a)[concurrency - 1] ?? -Infinity;
    let later = 0;
    const full = this.#live(queue, now).toSorted((a, b) => b.passesAt - a.passesAt)
      .find(({ messages }) => (later += messages) >= rateLimit);
    return Math.max(lease, full?.passesAt ?? -Infinity);
  }

  /**
   * The number of further messages of a queue that may be leased now.
   * @param leased number of its messages that are leased
   * @param slots number of handlers that the worker can start
   */
  room(queue: string, leased: number, now: number, slots = Infinity): number {
    const { concurrency = Infinity, rateLimit } = this.get(queue);
    const byRate = rateLimit === undefined
      ? Infinity
      : Math.min(slots, rateLimit - sum(this.#live(queue, now)));
    return Math.max(0, Math.min(concurrency - leased, byRate));
  }

  /** Counts starts against the queue's rate. The worker makes them within `startWindowMs` from now. */
  grant(queue: string, messages: number, now: number, startWindowMs: number): void {
    const { rateLimit, ratePeriodMs = 1_000 } = this.get(queue);
    if (rateLimit === undefined || messages === 0) return;
    const passesAt = now + startWindowMs + ratePeriodMs;
    this.#grants.set(queue, [...this.#live(queue, now), { passesAt, messages }]);
  }

  #live(queue: string, now: number): Grant[] {
    return (this.#grants.get(queue) ?? []).filter(({ passesAt }) => passesAt > now);
  }
}

/** A queue; a lane and its queue. The limits of each hold. */
export function withParent(queue: string): readonly string[] {
  return isLane(queue) ? [queue, parentQueue(queue)] : [queue];
}

function sum(grants: readonly Grant[]): number {
  return grants.reduce((total, { messages }) => total + messages, 0);
}

/** Calculates a queue's value at its first use, and remembers it. */
export function once(calculate: (queue: string) => number): (queue: string) => number {
  const known = new Map<string, number>();
  return (queue) => {
    const value = known.get(queue) ?? calculate(queue);
    known.set(queue, value);
    return value;
  };
}
