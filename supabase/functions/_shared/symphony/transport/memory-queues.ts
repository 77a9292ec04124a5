/** What the transport in memory knows of its queues: their settings, and what their limits allow. */

/** What an operator may set for a queue; the columns of `messenger_queues`. */
export interface QueueSettings {
  /** It keeps accepting messages; none is claimed. */
  readonly paused?: boolean;
  /** At most so many of its messages are leased at once. */
  readonly concurrency?: number;
  /** So many messages of one group may run at once; 1 where absent, which keeps strict order. */
  readonly groupConcurrency?: number;
  /** At most so many of its messages are started in any period. */
  readonly rateLimit?: number;
  /** The period of the rate, in ms; 1,000 where absent. */
  readonly ratePeriodMs?: number;
  /** Its share of each claim, beside the weights of others; 1 where absent. */
  readonly weight?: number;
  /** How long its leases last, in ms; as the worker asks for where absent. */
  readonly leaseMs?: number;
}

interface Grant {
  readonly passesAt: number;
  readonly messages: number;
}

/** The queues' settings, and the starts that were granted under their rates. */
export class MemoryQueues {
  readonly #settings = new Map<string, QueueSettings>();
  readonly #grants = new Map<string, Grant[]>();

  /** The settings of a queue; empty where none were given. */
  get(queue: string): QueueSettings {
    return this.#settings.get(queue) ?? {};
  }

  /** Changes settings of a queue; those that are not given stay. */
  set(queue: string, settings: QueueSettings): void {
    this.#settings.set(queue, { ...this.get(queue), ...settings });
  }

  /** Whether the queue has a rate. */
  isRated(queue: string): boolean {
    return this.get(queue).rateLimit !== undefined;
  }

  /**
   * When the limits let the queue's next message start.
   * @param leases when the live leases of the queue end, in ms
   * @returns ms since 1970; -Infinity where they do already
   */
  opensAt(queue: string, leases: readonly number[], now: number): number {
    const { concurrency = Infinity, rateLimit = Infinity } = this.get(queue);
    const lease = leases.toSorted((a, b) => b - a)[concurrency - 1] ?? -Infinity;
    let later = 0;
    const full = this.#live(queue, now).toSorted((a, b) => b.passesAt - a.passesAt)
      .find(({ messages }) => (later += messages) >= rateLimit);
    return Math.max(lease, full?.passesAt ?? -Infinity);
  }

  /** How many more messages of a queue may be given now, of which so many are leased. */
  room(queue: string, leased: number, now: number, slots = Infinity): number {
    const { concurrency = Infinity, rateLimit } = this.get(queue);
    const byRate = rateLimit === undefined
      ? Infinity
      : Math.min(slots, rateLimit - sum(this.#live(queue, now)));
    return Math.max(0, Math.min(concurrency - leased, byRate));
  }

  /** Counts starts that may come up to `startWindowMs` from now against the queue's rate. */
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

function sum(grants: readonly Grant[]): number {
  return grants.reduce((total, { messages }) => total + messages, 0);
}

/** Calculates a queue's value when it is first asked for. */
export function once(calculate: (queue: string) => number): (queue: string) => number {
  const known = new Map<string, number>();
  return (queue) => {
    const value = known.get(queue) ?? calculate(queue);
    known.set(queue, value);
    return value;
  };
}
