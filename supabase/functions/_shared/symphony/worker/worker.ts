/**
 * The worker's loop, which runs in a tick or in a resident worker. A message takes three steps, each in a folder of its
 * own:
 *
 * - claim/claim.ts decides what to claim, and keeps claimed messages until a slot is free;
 * - run/run.ts takes a message through its handlers to an outcome;
 * - settle/settle.ts writes outcomes, and brings the next claim by the same call.
 */

import { WorkerStoppedError } from "../message/errors.ts";
import type { Claim, ClaimRequest } from "../transport/receiver.ts";
import { Change } from "./change.ts";
import { Claimer } from "./claim/claim.ts";
import { unrunnable } from "./claim/unrunnable.ts";
import { HeldLeases } from "./held-leases.ts";
import { processLock } from "./run/process-lock.ts";
import { EffectRoom } from "./run/effect-room.ts";
import { ReservedIds } from "../bus/reserved-ids.ts";
import { Slots } from "./run/slots.ts";
import { Settler } from "./settle/settle.ts";
import { RunEnd } from "./life/run-end.ts";
import type { Duties } from "./life/run-state.ts";
import { Watch } from "./resident/watch.ts";
import { TickDuties } from "./tick/duties.ts";
import type { WorkerOptions, WorkerReport } from "./worker-options.ts";

/** After all slots were busy for this long, in ms, the messages behind them are given back for other workers. */
const STALLED_AFTER_MS = 1_000;
/** A round trip of a worker without leases is repeated for this long, in ms. */
const UNLEASED_CALL_MS = 5_000;

/**
 * Claims and handles messages until nothing is due within the budget.
 * @returns what was done
 * @throws TransportError if the database stayed out of reach; the claimed messages are delivered again
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerReport> {
  const worker = new Worker(options);
  try {
    return await worker.run();
  } finally {
    worker.close();
  }
}

class Worker {
  readonly #options: WorkerOptions;
  readonly #changed = new Change();
  readonly #end: RunEnd;
  readonly #claimer: Claimer;
  readonly #slots: Slots;
  readonly #settler: Settler;
  readonly #effectRoom: EffectRoom;
  readonly #leases: HeldLeases;
  readonly #duties: Duties;
  /** The store's clock, in ms since 1970, when that of performance.now() was 0. */
  #storeOrigin = performance.timeOrigin;
  /** Round trips under way. */
  #calls = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { lock = processLock, ids = new ReservedIds(options.transport) } = options;
    const changed = this.#changed;
    this.#end = new RunEnd(options, changed);
    const { endsAt } = this.#end.budget;
    const claimer = this.#claimer = new Claimer({ ...options, endsAt });
    const settler = this.#settler = new Settler({ ...options, onLate: () => changed.notify() });
    const effectRoom = this.#effectRoom = new EffectRoom(() => settler.buffer.unwritten);
    const slots = this.#slots = new Slots({
      ...options,
      ...{ ids, effectRoom, lock, changed, prefetchSize: claimer.size, outcomes: settler },
      share: options.pool?.join(() => changed.notify()),
      mayStart: () => this.#end.mayStart(performance.now()),
      longestMs: options.maxMs ?? Infinity,
      now: () => this.#storeOrigin + performance.now(),
    });
    this.#leases = new HeldLeases({ ...options, claimer, slots, settler, changed });
    const hasRoom = () => this.#end.mayStart(performance.now()) && !this.#end.budget.isHalfSpent;
    const parts = { ...options, planner: claimer.planner, changed, endsAt, hasRoom };
    const { awaitDue } = options;
    this.#duties = awaitDue ? new Watch({ ...parts, awaitDue }) : new TickDuties(parts);
  }

  async run(): Promise<WorkerReport> {
    while (!this.#isFinished) {
      // A timer wakes the loop for whatever is due later than the time of this turn.
      const now = performance.now();
      this.#checkLimits(now);
      this.#runClaimed(now);
      this.#settleAndClaim(now);
      this.#seeToDuties(now);
      if (!this.#isFinished) await this.#changed.next(this.#nextTime(now));
    }
    const { report, folds } = this.#settler;
    const { stopsAt } = this.#end.budget;
    await Promise.all([report.hooksDone(stopsAt), folds.ended(stopsAt)]);
    return report.counts;
  }

  close(): void {
    this.#leases.close();
    this.#end.close();
    this.#slots.stopAll(new WorkerStoppedError());
    this.#slots.close();
    this.#settler.close();
    this.#changed.close();
  }

  get #isFinished(): boolean {
    if (!this.#isIdle || this.#duties.isBusy) return false;
    return this.#end.isNear || this.#duties.isDone;
  }

  /** Whether the worker holds no message, and waits for no call. */
  get #isIdle(): boolean {
    const { buffer, late } = this.#settler;
    return this.#calls === 0 && !this.#hasWork && buffer.isEmpty && late.isEmpty;
  }

  /** Whether messages wait or run. */
  get #hasWork(): boolean {
    return this.#claimer.buffer.size > 0 || this.#slots.busy > 0;
  }

  /** Whether outcomes and dispatches that are not written take the memory that further messages would need. */
  get #isFull(): boolean {
    return this.#settler.buffer.isFull || this.#effectRoom.isFull;
  }

  /** Slots that may be filled now. */
  get #free(): number {
    return this.#isFull ? 0 : this.#slots.free;
  }

  /** How long no slot has become free, in ms; 0 if one is free. */
  #stalledMs(now: number): number {
    return this.#free > 0 ? 0 : now - this.#slots.filledAt;
  }

  #checkLimits(now: number): void {
    this.#end.check(now);
    if (this.#end.hasCome(now)) this.#slots.stopAll(new WorkerStoppedError());
    if (now >= this.#leases.endAt) this.#leases.giveUp();
  }

  /** Run: fills the free slots with claimed messages. */
  #runClaimed(now: number): void {
    const { buffer } = this.#claimer;
    this.#settler.buffer.release(this.#claimer.takeLate(now));
    while (!this.#end.isNear && buffer.size > 0 && this.#free > 0) {
      const envelopes = buffer.take(this.#slots.capacity);
      this.#end.budget.messages -= envelopes.length;
      this.#slots.start(envelopes, now);
    }
    this.#slots.want(buffer.size > 0 && !this.#end.isNear);
    this.#giveBack(now);
  }

  /** Gives back claimed messages that this worker will not start, or not soon. */
  #giveBack(now: number): void {
    const { buffer } = this.#claimer;
    const stalledMs = this.#stalledMs(now);
    if (this.#end.isNear) this.#settler.buffer.release(buffer.takeAll());
    else if (buffer.size > 0 && stalledMs >= STALLED_AFTER_MS) {
      this.#settler.buffer.release(this.#claimer.takeSurplus(stalledMs));
    }
  }

  /** Settle and claim: one round trip writes outcomes and brings messages, if either is due. Never throws. */
  async #settleAndClaim(now: number): Promise<void> {
    const { mostCalls, buffer } = this.#settler;
    if (this.#calls >= (buffer.writesMuch ? 1 : mostCalls)) return;
    const settles = this.#settler.buffer.isDue(now, !this.#hasWork);
    const request = this.#claimRequest(now, settles);
    if (!request && !settles) return;
    this.#calls++;
    this.#claimer.sent(request);
    const sentAt = performance.now();
    // Leases of an engine do not end while its connection holds. The run has to, also while home is out of reach.
    const keepTrying = () =>
      performance.now() < Math.min(
        this.#leases.worthRepeatingUntil(sentAt + UNLEASED_CALL_MS),
        this.#end.stopsAt + this.#options.leaseMs,
      );
    // A claim that the database cannot serve must not keep the calls that write outcomes.
    const isAwaited = () => this.#end.isNear || !this.#settler.buffer.isEmpty;
    try {
      const { claim, done } = await this.#settler.settleAndClaim(request, {
        keepTrying,
        isAwaited,
      });
      this.#claimer.size.roundTrip(performance.now() - sentAt);
      if (claim && request) this.#take(claim, request, sentAt);
      else if (!request && done.length > 0) this.#claimer.planner.settledAlone();
      this.#claimer.ended(request, done);
    } catch (error) {
      this.#changed.fail(error);
    }
    this.#calls--;
    this.#effectRoom.changed();
    this.#duties.worked();
    this.#changed.notify();
  }

  #claimRequest(now: number, settles: boolean): ClaimRequest | null {
    const { busy, size: running, runsQuarantined } = this.#slots;
    if (this.#end.isNear || runsQuarantined || now >= this.#leases.endAt) return null;
    if (this.#isFull) return null;
    return this.#claimer.request({
      ...{ now, free: this.#free, busy, running, settles },
      stalledMs: this.#stalledMs(now),
      budget: this.#end.budget.messages,
    });
  }

  /** Takes in a claim: the messages to run, and the outcomes of those that are not run. */
  #take(claim: Claim, request: ClaimRequest, sentAt: number): void {
    this.#leases.taken(sentAt, claim.leaseMs);
    this.#claimer.received(claim, request, sentAt);
    const { now = Date.now() } = claim;
    this.#storeOrigin = now - sentAt;
    this.#options.series?.synchronize(now, sentAt);
    for (const [envelope, outcome] of unrunnable(claim, this.#options.retry)) {
      this.#settler.add(envelope, outcome);
    }
    this.#settler.report.counts.claimed += claim.messages.length;
    const isFull = claim.more === true || claim.messages.length === request.maxMessages;
    if (!request.quarantined && isFull) this.#duties.backlog();
  }

  #seeToDuties(now: number): void {
    const { runsQuarantined, filledAt } = this.#slots;
    this.#duties.turn({
      now,
      stopping: this.#end.isNear,
      calling: this.#calls > 0,
      idle: this.#isIdle,
      stalledMs: runsQuarantined ? now - filledAt : this.#stalledMs(now),
      report: this.#settler.report.counts,
    });
  }

  /** The next moment at which something is due, unless a handler or a round trip ends before. */
  #nextTime(now: number): number {
    const { filledAt } = this.#slots;
    const { planner, buffer } = this.#claimer;
    const { endsAt, stopsAt } = this.#end.budget;
    const times = [
      ...[endsAt, stopsAt, this.#leases.endAt, buffer.startBy],
      buffer.size > 0 ? filledAt + STALLED_AFTER_MS : Infinity,
      ...[planner.nextPollAt ?? Infinity, this.#settler.buffer.dueAt],
      ...this.#duties.times(filledAt),
    ];
    return Math.min(...times.filter((time) => time > now));
  }
}
