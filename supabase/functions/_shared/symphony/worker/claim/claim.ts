/**
 * Claiming. The claim planner says when to claim, the prefetch size and the held bytes say how much;
 * claimed messages wait in the prefetch buffer until a slot is free. The request itself travels with the
 * outcomes that are settled at the same time: see settle/settle.ts.
 */

import type { Envelope } from "../../message/envelope.ts";
import type { Claim, ClaimRequest } from "../../transport/receiver.ts";
import { ClaimPlanner } from "./claim-planner.ts";
import { HeldBytes } from "./held-bytes.ts";
import { PrefetchBuffer } from "./prefetch-buffer.ts";
import { PrefetchSize } from "./prefetch-size.ts";

/** The limits of a claimer. */
export interface ClaimerOptions {
  /** Most messages held at once, running and waiting to run. */
  readonly batchSize: number;
  /** Handlers that run at once. */
  readonly concurrency: number;
  /** Most bytes of messages held at once. */
  readonly maxBytes?: number;
  readonly leaseMs: number;
  readonly queues?: readonly string[];
  /** How long a claim of an idle worker may wait for a message, in ms. */
  readonly waitMs?: number;
  /** Messages that fall due later are left to another tick; on the clock of performance.now(). */
  readonly endsAt: number;
}

/** How a worker's slots stand when it wants to claim. */
export interface SlotsStatus {
  /** On the clock of performance.now(). */
  readonly now: number;
  /** Slots that are free, and that are not. */
  readonly free: number;
  readonly busy: number;
  /** Messages in the busy slots. */
  readonly running: number;
  /** How long no slot has become free, in ms; 0 if one is free. */
  readonly stalledMs: number;
  /** Messages that the run's budget still allows to start. */
  readonly budget: number;
  /** Whether a settle call is due anyway: it carries a claim at no cost. */
  readonly settles: boolean;
}

/** Decides what to claim, and keeps what was claimed. */
export class Claimer {
  readonly planner: ClaimPlanner;
  readonly buffer = new PrefetchBuffer();
  readonly size: PrefetchSize;
  readonly bytes: HeldBytes;
  /** Messages that the claims under way may bring. */
  #underWay = 0;

  constructor(options: ClaimerOptions) {
    this.planner = new ClaimPlanner(options);
    this.size = new PrefetchSize({ slots: options.concurrency, most: options.batchSize });
    this.bytes = new HeldBytes(options.maxBytes);
  }

  /** The claim to make now; null for none. */
  request(slots: SlotsStatus): ClaimRequest | null {
    const { now, free, busy, running, stalledMs, budget, settles } = slots;
    const waiting = this.buffer.size + this.#underWay;
    const { room, worthwhile } = this.size.room({ busy, running, waiting, stalledMs });
    // The last messages of the budget are worth a claim, however few they are.
    const allowed = budget - waiting;
    return this.planner.request(now, {
      isEmpty: this.buffer.size === 0 && busy === 0,
      claims: this.#underWay > 0,
      room: Math.min(room, allowed),
      worthwhile: Math.min(worthwhile, Math.max(1, allowed)),
      bytes: this.bytes.room,
      slots: this.#underWay === 0 ? free : 0,
    }, settles);
  }

  /** A round trip is under way. @param request null if it only settles */
  sent(request: ClaimRequest | null): void {
    this.#underWay += request?.maxMessages ?? 0;
    this.bytes.asked(request);
  }

  /** A claim was answered: its messages go to the prefetch buffer, except those that have expired. */
  received(claim: Claim, request: ClaimRequest, sentAt: number): void {
    this.planner.learn(claim, request);
    this.bytes.add(claim.messages);
    this.buffer.add(claim.messages.filter(({ expired }) => !expired), sentAt);
  }

  /** The round trip is over. @param settled what it settled, which the worker no longer holds */
  ended(
    request: ClaimRequest | null,
    settled: readonly { readonly envelope: Pick<Envelope, "bytes"> }[],
  ): void {
    this.#underWay -= request?.maxMessages ?? 0;
    this.bytes.answered(request, settled);
  }

  /** Takes the messages whose start window is over: they have to be given back. */
  takeLate(now: number): readonly Envelope[] {
    const late = this.buffer.takeLate(now);
    if (late.length > 0) this.planner.wasLate();
    return late;
  }

  /** Takes the messages that the stalled slots will not get to soon: another worker should have them. */
  takeSurplus(stalledMs: number): readonly Envelope[] {
    return this.buffer.takeBeyond(this.size.behindSlots(stalledMs));
  }
}
