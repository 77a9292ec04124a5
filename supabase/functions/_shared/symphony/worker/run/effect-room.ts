/**
 * The room for what the handlers of a worker dispatch. A function has 256 MB, and ten handlers may dispatch 8 MB each
 * at once: a dispatch waits while others hold too much memory that is not written yet.
 */

/**
 * Dispatches of this size that running handlers hold, and outcomes that are not written, leave no room, in characters
 * of JSON. One dispatch may exceed it.
 */
const ROOM = 8 * 1_048_576;
/** A dispatch waits this long at most, in ms; further ones of its attempt do not wait. */
const LONGEST_WAIT_MS = 5_000;

/** The attempt, or call of a batch handler, that dispatches. */
export interface EffectOwner {
  /** Whether what it holds is given up or in the settle buffer. */
  readonly isOver: boolean;
  /** Aborted when it is stopped. */
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly owner: EffectOwner;
  readonly size: number;
  readonly enter: () => void;
}

/**
 * Lets dispatches in while there is room, in their order. The owner that has held the longest never waits: it ends, and
 * gives its room to the others, so that owners which each hold a part cannot wait for each other.
 */
export class EffectRoom {
  /** Characters that each owner holds; first the one that has held the longest. */
  readonly #held = new Map<EffectOwner, number>();
  #total = 0;
  readonly #waiting = new Set<Waiting>();
  /** Owners that have waited for the longest time. */
  readonly #late = new WeakSet<EffectOwner>();

  /**
   * @param unwritten size of the outcomes that wait or are being written, in characters
   * @param longestWaitMs longest wait of an attempt
   */
  constructor(
    private readonly unwritten: () => number = () => 0,
    private readonly longestWaitMs = LONGEST_WAIT_MS,
  ) {}

  /** Whether dispatches wait: then no further handler should start. */
  get isFull(): boolean {
    return this.#waiting.size > 0;
  }

  /** An owner holds more, whether or not there is room. */
  hold(owner: EffectOwner, size: number): void {
    this.#held.set(owner, (this.#held.get(owner) ?? 0) + size);
    this.#total += size;
  }

  /**
   * Takes room for a dispatch.
   * @returns undefined if there is room at once. Otherwise a promise that resolves when there is, and rejects with the
   * signal's reason when the owner is stopped
   */
  enter(owner: EffectOwner, size: number): Promise<void> | undefined {
    if (this.#mayEnter(owner) && !this.#isWaiting(owner)) {
      this.hold(owner, size);
      return undefined;
    }
    return this.#wait(owner, size);
  }

  /** An owner no longer holds what it has held. */
  leave(owner: EffectOwner, size: number): void {
    const held = this.#held.get(owner);
    if (held === undefined) return;
    if (held > size) this.#held.set(owner, held - size);
    else this.#held.delete(owner);
    this.#total -= Math.min(held, size);
    this.changed();
  }

  /** Something was written or given up: lets those in that have room now. */
  changed(): void {
    for (const one of this.#waiting) if (this.#mayEnter(one.owner)) one.enter();
  }

  #mayEnter(owner: EffectOwner): boolean {
    if (this.#total + this.unwritten() < ROOM || this.#late.has(owner)) return true;
    for (const [other, held] of this.#held) {
      if (!other.isOver) continue;
      // Its handler has never ended, or was a batch's that failed.
      this.#held.delete(other);
      this.#total -= held;
    }
    const [first] = this.#held.keys();
    return this.#total + this.unwritten() < ROOM || first === owner;
  }

  #isWaiting(owner: EffectOwner): boolean {
    for (const one of this.#waiting) if (one.owner === owner) return true;
    return false;
  }

  #wait(owner: EffectOwner, size: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal } = owner;
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      this.#waiting.delete(waiting);
    };
    const stop = () => {
      end();
      reject(signal.reason);
    };
    const waiting = {
      owner,
      size,
      enter: () => {
        end();
        this.hold(owner, size);
        resolve();
      },
    };
    const timer = setTimeout(() => {
      this.#late.add(owner);
      this.changed();
    }, this.longestWaitMs);
    signal.addEventListener("abort", stop);
    this.#waiting.add(waiting);
    if (signal.aborted) stop();
    return promise;
  }
}
