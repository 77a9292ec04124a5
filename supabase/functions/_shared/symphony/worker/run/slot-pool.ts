/**
 * The slots of a process that receives from several transports: each may use all of them while the others have nothing
 * to run, and none gets less than its share while it has.
 */

/** The part of one transport's worker in the slots that it shares. */
export interface SlotShare {
  /** Slots that the worker may take now. */
  readonly free: number;
  /** The worker has taken a slot. */
  take(): void;
  /** A slot of the worker is free again. */
  give(): void;
  /** Whether messages of the worker wait for a slot. */
  want(waiting: boolean): void;
  /** The worker has ended: the others share its slots. */
  leave(): void;
}

/** Slots that several workers share. */
export class SlotPool {
  /** Slots that no worker has taken. */
  free: number;
  /** Workers whose messages wait. */
  waiting = 0;
  /** Number of the next turn of a worker whose messages begin to wait. */
  turn = 0;
  /** Slots that each worker gets in any case. */
  share = 1;
  readonly #size: number;
  #members: readonly Member[] = [];

  /** @param size handlers that run at once, in all workers together */
  constructor(size: number) {
    this.#size = size;
    this.free = size;
  }

  /**
   * Adds a worker.
   * @param onFree called when slots may have become free for it, if messages of it wait or it has found none free
   */
  join(onFree: () => void): SlotShare {
    const member = new Member(this, onFree);
    this.#sharedBy([...this.#members, member]);
    return member;
  }

  /** Takes a worker out. */
  remove(member: Member): void {
    this.#sharedBy(this.#members.filter((one) => one !== member));
  }

  /** Slots that are kept free for others, from a worker. */
  reservedFrom(member: Member): number {
    const since = member.waitsSince ?? Infinity;
    let reserved = 0;
    for (const one of this.#members) {
      if (one === member || one.waitsSince === null) continue;
      const isBehind = member.busy >= this.share || one.waitsSince < since;
      if (isBehind) reserved += Math.max(0, this.share - one.busy);
    }
    return reserved;
  }

  /** Tells the others that slots may have become free. */
  tellOthers(member: Member): void {
    for (const one of this.#members) if (one !== member) one.tell();
  }

  #sharedBy(members: readonly Member[]): void {
    this.#members = members;
    this.share = Math.max(1, Math.floor(this.#size / Math.max(1, members.length)));
  }
}

/** The share of one worker. It is read for each message: nothing of it loops while no other worker waits. */
class Member implements SlotShare {
  busy = 0;
  /** Number of its turn since messages of it wait; null while none does. */
  waitsSince: number | null = null;
  /** Whether it found no free slot when it looked last. */
  #foundNone = false;
  #hasLeft = false;
  readonly #pool: SlotPool;
  readonly #onFree: () => void;

  constructor(pool: SlotPool, onFree: () => void) {
    this.#pool = pool;
    this.#onFree = onFree;
  }

  /** A worker below its share leaves slots only to those that have waited longer, one above it to all that wait. */
  get free(): number {
    const pool = this.#pool;
    const othersWait = pool.waiting > (this.waitsSince === null ? 0 : 1);
    const free = othersWait ? Math.max(0, pool.free - pool.reservedFrom(this)) : pool.free;
    this.#foundNone = free === 0;
    return free;
  }

  take(): void {
    this.busy++;
    this.#pool.free--;
    this.#waits(false);
  }

  give(): void {
    this.busy--;
    // The slots of one that has left were given back together.
    if (!this.#hasLeft) this.#pool.free++;
    this.#pool.tellOthers(this);
  }

  want(waiting: boolean): void {
    if (this.#waits(waiting) && !waiting) this.#pool.tellOthers(this);
  }

  leave(): void {
    this.#hasLeft = true;
    this.#waits(false);
    this.#pool.free += this.busy;
    this.#pool.remove(this);
    this.#pool.tellOthers(this);
  }

  /** A worker without messages is told once: a turn of its loop for each message of another one cost 4 % of the CPU. */
  tell(): void {
    if (!this.#foundNone && this.waitsSince === null) return;
    this.#foundNone = false;
    this.#onFree();
  }

  /** @returns whether it changed */
  #waits(waiting: boolean): boolean {
    if (waiting === (this.waitsSince !== null)) return false;
    this.#pool.waiting += waiting ? 1 : -1;
    this.waitsSince = waiting ? this.#pool.turn++ : null;
    return true;
  }
}
