/** When a worker looks for messages, and what it asks for; learnt from each claim's answer. */

import {
  type Claim,
  type ClaimRequest,
  type LastKeys,
  START_WINDOW_MS,
} from "../../transport/transport.ts";

/** Leases that ran out are looked for so often, in ms: the look reads what vacuum has left behind. */
const SWEEP_EVERY_MS = 10_000;
/** A drain looks at the head of its queues so often, in ms: an urgent message waits no longer. */
const FULL_LOOK_EVERY_MS = 1_000;
/** Where such a look has to pass many rows that others have locked, it takes no more of the time. */
const FULL_LOOK_SHARE = 1 / 100;
/** But it comes so often in any case, in ms. */
const FULL_LOOK_AT_LEAST_EVERY_MS = 30_000;
/** Between two looks for work that is due but was not given, in ms: another worker has it locked. */
const SHORTEST_WAIT_MS = 50;
/** Messages of queues with a rate are claimed for a start within so many ms at most. */
const LONGEST_START_MS = 10_000;
/** With no look within so many ms the tick should rest: others may see to what comes in meanwhile. */
const SOON_MS = 100;

/** Ms until the next look at the head of the queues, after one that took `lockMs`. */
export function untilFullLook(lockMs: number): number {
  const spared = Math.max(FULL_LOOK_EVERY_MS, lockMs / FULL_LOOK_SHARE);
  return Math.min(spared, FULL_LOOK_AT_LEAST_EVERY_MS);
}

/** What a worker can take. */
export interface Hands {
  /** It holds nothing, neither running nor waiting. */
  readonly isEmpty: boolean;
  /** A claim is on its way. */
  readonly claims: boolean;
  /** Messages that it may take. */
  readonly room: number;
  /** Fewer are not worth a call of their own. */
  readonly worthwhile: number;
  /** Bytes of messages that it may take; 0 where it has to wait for room. No limit where absent. */
  readonly bytes?: number;
  /** Handlers that may start at once. */
  readonly slots: number;
}

/** Decides on the next claim. */
export class Lookout {
  /** When to look next, on the clock of performance.now(); null where nothing more falls due. */
  nextLookAt: number | null = performance.now();
  #lastKeys: LastKeys | undefined;
  #nextFullLookAt = -Infinity;
  #sweepAt = -Infinity;
  #quarantinedDue = false;
  #ranAlone = false;
  /** The last claim gave all that there was. */
  #cameShort = false;
  /** The last one asked for; null where something has fallen due since, which it may not have seen. */
  #latest: ClaimRequest | null = null;
  #startWindowMs = START_WINDOW_MS;

  constructor(
    private readonly options: {
      readonly leaseMs: number;
      readonly queues?: readonly string[];
      /** Work that falls due later than this is left to another tick. */
      readonly endsAt: number;
    },
  ) {}

  /** Whether there is nothing more to claim. */
  get done(): boolean {
    return this.nextLookAt === null && !this.#quarantinedDue;
  }

  /** Whether no look is planned for the next moments. */
  get quiet(): boolean {
    return !this.#quarantinedDue &&
      (this.nextLookAt === null || this.nextLookAt > performance.now() + SOON_MS);
  }

  /** Looks at once: something has fallen due. */
  lookNow(): void {
    this.#latest = null;
    this.nextLookAt = performance.now();
  }

  /** Looks in so many ms, at the end at the latest; null: not again. */
  lookIn(ms: number | null): void {
    this.nextLookAt = ms === null ? null : Math.min(performance.now() + ms, this.options.endsAt);
  }

  /** Messages came too late to be started: from now on there is more time for it. */
  wasLate(): void {
    this.#startWindowMs = Math.min(this.#startWindowMs * 2, LONGEST_START_MS);
  }

  /**
   * What to claim now, if anything.
   * @param now on the clock of performance.now()
   * @param hands what this worker can take
   * @param settles whether a settle call is due anyway, which carries a claim at no cost
   */
  request(now: number, hands: Hands, settles: boolean): ClaimRequest | null {
    const { leaseMs, queues } = this.options;
    const { isEmpty, claims, room, worthwhile, bytes, slots } = hands;
    if (bytes === 0 && !isEmpty) return null;
    // A message that has to run alone waits until this worker's hands are empty; and after it, the
    // ordinary ones have their turn.
    const runAlone = this.#quarantinedDue && !this.#ranAlone;
    if (runAlone && (claims || !isEmpty)) return null;

    const lookDue = this.nextLookAt !== null && now >= this.nextLookAt && room >= worthwhile;
    if (!(runAlone || lookDue || (settles && room > 0))) return null;
    // Where little comes in, one look at a time finds it: each starts at the head of the queue.
    if (this.#cameShort && claims) return null;

    const fullLook = now >= this.#nextFullLookAt;
    const sweep = now - this.#sweepAt >= SWEEP_EVERY_MS;
    if (fullLook) this.#nextFullLookAt = now + untilFullLook(0);
    if (sweep) this.#sweepAt = now;
    this.#latest = {
      token: crypto.randomUUID(),
      maxMessages: runAlone ? 1 : room,
      ...(bytes !== undefined && { maxBytes: bytes }),
      slots,
      startWindowMs: this.#startWindowMs,
      leaseMs,
      quarantined: runAlone,
      sweep,
      ...(queues && { queues }),
      ...(this.#lastKeys && !fullLook && { lastKeys: this.#lastKeys }),
    };
    return this.#latest;
  }

  /** Takes in what a claim gave. One that saw less than is known puts off no look. */
  learn(claim: Claim, request: ClaimRequest): void {
    const given = claim.messages.length;
    const isLatest = request === this.#latest;
    this.#ranAlone = request.quarantined === true;
    // Where the claim gave none, another worker has it.
    const quarantinedDue = claim.quarantinedDue && !(this.#ranAlone && given === 0);
    this.#quarantinedDue = quarantinedDue || this.#quarantinedDue && !isLatest && !this.#ranAlone;
    if (this.#ranAlone) {
      this.nextLookAt = performance.now();
      return;
    }
    if (!request.lastKeys) {
      this.#nextFullLookAt = performance.now() + untilFullLook(claim.lockMs);
    }
    this.#lastKeys = claim.lastKeys;
    this.#cameShort = given < request.maxMessages && !claim.more;
    if (isLatest || !this.#cameShort) {
      this.nextLookAt = this.#whenToLookAgain(!this.#cameShort, claim);
    }
  }

  #whenToLookAgain(full: boolean, claim: Claim): number | null {
    const now = performance.now();
    if (full) return now;
    // After a short claim the next settle call looks again.
    if (claim.messages.length > 0 || claim.nextDueMs === null) return null;
    const at = now + Math.max(claim.nextDueMs, SHORTEST_WAIT_MS);
    return at < this.options.endsAt ? at : null;
  }
}
