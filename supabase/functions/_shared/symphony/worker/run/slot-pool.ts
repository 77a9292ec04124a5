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

interface Member {
  busy: number;
  /** Number of its turn since messages of it wait; null while none does. */
  waitsSince: number | null;
  /** Whether it found no free slot when it looked last. */
  foundNone: boolean;
  readonly onFree: () => void;
}

/** Slots that several workers share. */
export class SlotPool {
  readonly #size: number;
  #members: readonly Member[] = [];
  /** Slots of each worker, in any case. */
  #share = 1;
  #turn = 0;

  /** @param size handlers that run at once, in all workers together */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * Adds a worker.
   * @param onFree called when slots may have become free for it, if messages of it wait or it has found none free
   */
  join(onFree: () => void): SlotShare {
    const member: Member = { busy: 0, waitsSince: null, foundNone: false, onFree };
    this.#sharedBy([...this.#members, member]);
    const freeFor = () => this.#freeFor(member);
    const tell = () => this.#tellOthers(member);
    return {
      get free() {
        const free = freeFor();
        member.foundNone = free === 0;
        return free;
      },
      take: () => {
        member.busy++;
        member.waitsSince = null;
      },
      give: () => {
        member.busy--;
        tell();
      },
      want: (waiting) => {
        if (waiting) member.waitsSince ??= this.#turn++;
        else if (member.waitsSince !== null) {
          member.waitsSince = null;
          tell();
        }
      },
      leave: () => {
        this.#sharedBy(this.#members.filter((one) => one !== member));
        tell();
      },
    };
  }

  #sharedBy(members: readonly Member[]): void {
    this.#members = members;
    this.#share = Math.max(1, Math.floor(this.#size / Math.max(1, members.length)));
  }

  /** A worker below its share leaves slots only to those that have waited longer, one above it to all that wait. */
  #freeFor(member: Member): number {
    const share = this.#share;
    const since = member.waitsSince ?? Infinity;
    let free = this.#size;
    for (const one of this.#members) {
      free -= one.busy;
      if (one === member || one.waitsSince === null) continue;
      if (member.busy >= share || one.waitsSince < since) free -= Math.max(0, share - one.busy);
    }
    return Math.max(0, free);
  }

  /** A worker without messages is told once: a turn of its loop for each message of the others cost them 4 % of their CPU. */
  #tellOthers(member: Member): void {
    for (const one of this.#members) {
      if (one === member || !(one.foundNone || one.waitsSince !== null)) continue;
      one.foundNone = false;
      one.onFree();
    }
  }
}
