/**
 * The claim planner: when to poll, and what to ask for. It learns from the answer to each claim.
 *
 * A claim continues behind the last key of the claim before, because that skips rows which others have
 * locked. It therefore misses a message that came in with a higher priority. A head scan, once a second,
 * starts at the head of each queue and finds that message.
 */

import {
  type Claim,
  type ClaimRequest,
  type LastKeys,
  START_WINDOW_MS,
} from "../../transport/receiver.ts";

/** Interval between sweeps for leases that ran out. A sweep reads dead rows that vacuum has not removed. */
const SWEEP_INTERVAL_MS = 10_000;
/** Interval between head scans: an urgent message waits no longer than this. */
const HEAD_SCAN_INTERVAL_MS = 1_000;
/** A head scan that must skip many locked rows may use at most 1 % of the worker's time. */
const HEAD_SCAN_SHARE = 1 / 100;
/** Longest interval between head scans, however long they take. */
const LONGEST_HEAD_SCAN_INTERVAL_MS = 30_000;
/** Shortest pause before a poll for a message that is due but locked by another worker. */
const SHORTEST_PAUSE_MS = 50;
/** Longest start window of messages from queues with a rate. */
const LONGEST_START_WINDOW_MS = 10_000;
/** If the next poll is further away than this, the tick stops counting as awake, and new messages ask for another tick. */
const SOON_MS = 100;

/** Ms until the next head scan, after one with this lock time. */
export function untilHeadScan(lockMs: number): number {
  const spared = Math.max(HEAD_SCAN_INTERVAL_MS, lockMs / HEAD_SCAN_SHARE);
  return Math.min(spared, LONGEST_HEAD_SCAN_INTERVAL_MS);
}

/** The capacity of a worker: the messages that it can take. */
export interface Capacity {
  /** The worker holds no message, neither running nor waiting. */
  readonly isEmpty: boolean;
  /** A claim is under way. */
  readonly claims: boolean;
  /** Messages that the worker may take. */
  readonly room: number;
  /** Fewer messages than this are not worth a call of their own. */
  readonly worthwhile: number;
  /** Bytes of messages that the worker may take; 0 if it has to wait for room, no limit by default. */
  readonly bytes?: number;
  /** Handlers that may start at once. */
  readonly slots: number;
}

/** A busy worker whose claims wait for messages looks again so soon, in ms. */
const BUSY_POLL_MS = 250;

const isExpired = ({ expired }: Claim["messages"][number]) => expired;

/** Decides on the next claim. */
export class ClaimPlanner {
  /** When to poll next, on the clock of performance.now(); null if no more messages fall due. */
  nextPollAt: number | null = performance.now();
  #lastKeys: LastKeys | undefined;
  #nextHeadScanAt = -Infinity;
  #sweptAt = -Infinity;
  #quarantinedDue = false;
  #ranQuarantined = false;
  /** When to ask for a quarantined message again, after another session held the one that was due. */
  #nextQuarantinedAt = -Infinity;
  /** Until then a due message that no claim can lease asks for no poll; on the clock of performance.now(). */
  #leavesUntil = -Infinity;
  /** The last claim returned every message that there was. */
  #cameShort = false;
  /** The latest request. Null after {@link pollNow}: an older claim may have missed the new message. */
  #latest: ClaimRequest | null = null;
  #startWindowMs = START_WINDOW_MS;
  /** Outcomes were written by a call without a claim, and no claim has followed. */
  #hasSettledAlone = false;

  constructor(
    private readonly options: {
      readonly leaseMs: number;
      readonly queues?: readonly string[];
      /** How long a claim of an idle worker may wait for a message, in ms. */
      readonly waitMs?: number;
      /** Messages that fall due later are left to another tick. */
      readonly endsAt: number;
    },
  ) {}

  /** Whether there is no message left to claim. */
  get done(): boolean {
    return this.nextPollAt === null && !this.#quarantinedDue && !this.#hasSettledAlone;
  }

  /** Whether a due message is left that no claim can lease for now: that one is due is no reason to poll at once. */
  get leavesDue(): boolean {
    return performance.now() < this.#leavesUntil;
  }

  /** Whether no poll is planned for the next moments. */
  get quiet(): boolean {
    return !this.#quarantinedDue && !this.#hasSettledAlone &&
      (this.nextPollAt === null || this.nextPollAt > performance.now() + SOON_MS);
  }

  /** Polls at once: a message has fallen due. */
  pollNow(): void {
    this.#latest = null;
    this.nextPollAt = performance.now();
  }

  /**
   * A call without a claim has written outcomes, which may have made messages due: what a handler dispatched, the next
   * of a group, the parent of a batch's last member. A claim that was under way meanwhile has missed them.
   */
  settledAlone(): void {
    this.#hasSettledAlone = true;
  }

  /** Polls in `ms`, at the end of the budget at the latest; null: polls no more. */
  pollIn(ms: number | null): void {
    this.nextPollAt = ms === null ? null : Math.min(performance.now() + ms, this.options.endsAt);
  }

  /** Rate grants expired before the handlers started: doubles the start window. */
  wasLate(): void {
    this.#startWindowMs = Math.min(this.#startWindowMs * 2, LONGEST_START_WINDOW_MS);
  }

  /**
   * The claim to make now; null for none.
   * @param now on the clock of performance.now()
   * @param settles whether a settle call is due anyway: it carries a claim at no cost
   */
  request(now: number, capacity: Capacity, settles: boolean): ClaimRequest | null {
    const { isEmpty, claims, room, worthwhile, bytes } = capacity;
    if (bytes === 0 && !isEmpty) return null;
    // A quarantined message waits until this worker is empty. After it, ordinary messages have their turn.
    const quarantined = this.#quarantinedDue && !this.#ranQuarantined;
    if (quarantined && (claims || !isEmpty)) return null;

    const { waitMs: longestWaitMs } = this.options;
    // An idle worker that may wait has nothing to put off: a message would lie in the engine until its next poll.
    const waitsNow = longestWaitMs !== undefined && isEmpty && !claims;
    const pollDue = this.nextPollAt !== null && (now >= this.nextPollAt || waitsNow) &&
      room >= worthwhile;
    const isLast = this.#hasSettledAlone && isEmpty && !claims;
    if (!(quarantined || pollDue || ((settles || isLast) && room > 0))) return null;
    // When few messages come in, one claim at a time finds them: each of them scans the queues, 0.1 µs for
    // each dead row that vacuum may not remove yet. That took a tenth of a long drain's time.
    if (this.#cameShort && claims) return null;
    const waitMs = isEmpty && !settles ? longestWaitMs : undefined;
    return this.#latest = this.#ask(now, capacity, quarantined, waitMs);
  }

  #ask(
    now: number,
    { room, bytes, slots }: Capacity,
    quarantined: boolean,
    waitMs: number | undefined,
  ): ClaimRequest {
    const { leaseMs, queues } = this.options;
    const headScan = now >= this.#nextHeadScanAt;
    const sweep = now - this.#sweptAt >= SWEEP_INTERVAL_MS;
    if (!quarantined) this.#hasSettledAlone = false;
    if (headScan) this.#nextHeadScanAt = now + untilHeadScan(0);
    if (sweep) this.#sweptAt = now;
    return {
      token: crypto.randomUUID(),
      maxMessages: quarantined ? 1 : room,
      ...(bytes !== undefined && { maxBytes: bytes }),
      slots,
      startWindowMs: this.#startWindowMs,
      leaseMs,
      quarantined,
      sweep,
      ...(queues && { queues }),
      ...(waitMs !== undefined && { waitMs }),
      ...(this.#lastKeys && !headScan && { lastKeys: this.#lastKeys }),
    };
  }

  /** Learns from a claim. The answer to an older request than the latest one puts off no poll. */
  learn(claim: Claim, request: ClaimRequest): void {
    const given = claim.messages.length;
    const isLatest = request === this.#latest;
    this.#ranQuarantined = request.quarantined === true;
    // A quarantined message that is due but was not given is another worker's, or an open transaction holds it. Each
    // ordinary claim tells of it again: without a pause, the two kinds of claims would take turns, 150 a second.
    const now = performance.now();
    if (this.#ranQuarantined && given === 0) this.#nextQuarantinedAt = now + HEAD_SCAN_INTERVAL_MS;
    const quarantinedDue = claim.quarantinedDue && now >= this.#nextQuarantinedAt;
    this.#quarantinedDue = quarantinedDue ||
      this.#quarantinedDue && !isLatest && !this.#ranQuarantined;
    if (this.#ranQuarantined) {
      this.nextPollAt = performance.now();
      return;
    }
    if (!request.lastKeys) this.#nextHeadScanAt = performance.now() + untilHeadScan(claim.lockMs);
    // The next head scan would meet it again, and take a dozen calls to find the messages behind it.
    if (claim.left) this.#leavesUntil = this.#nextHeadScanAt = now + LONGEST_HEAD_SCAN_INTERVAL_MS;
    this.#lastKeys = claim.lastKeys;
    // No other claim finds the expired messages of a paused queue, and a tick that stays for none ends after this one.
    if (request.sweep && given === request.maxMessages && claim.messages.every(isExpired)) {
      this.#sweptAt = -Infinity;
    }
    this.#cameShort = given < request.maxMessages && !claim.more;
    if (isLatest || !this.#cameShort) this.nextPollAt = this.#whenToPollAgain(claim, request);
  }

  #whenToPollAgain(claim: Claim, request: ClaimRequest): number | null {
    const now = performance.now();
    if (!this.#cameShort) return now;
    // No dispatch wakes this worker, and beside a slow handler no settle call may come for long.
    const { waitMs } = this.options;
    if (waitMs !== undefined && (claim.messages.length > 0 || request.waitMs === undefined)) {
      return now + BUSY_POLL_MS;
    }
    // After a short claim the next settle call claims again.
    if (claim.messages.length > 0 || claim.nextDueMs === null) return null;
    if (claim.nextDueMs <= 0 && this.leavesDue) return null;
    const at = now + Math.max(claim.nextDueMs, SHORTEST_PAUSE_MS);
    return at < this.options.endsAt ? at : null;
  }
}
