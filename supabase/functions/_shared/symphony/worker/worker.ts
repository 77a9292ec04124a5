/** The worker: claims, runs a bounded number of handlers at once, settles; one run is one tick's. */

import { LeaseLostError, WorkerStoppedError } from "../message/errors.ts";
import type { Claim, ClaimRequest } from "../transport/transport.ts";
import { Budget } from "./tick/budget.ts";
import { judgeCrashed, judgeExpired } from "./settle/crashed.ts";
import { exchange } from "./settle/exchange.ts";
import { processGate } from "./run/gate.ts";
import { type Heartbeat, startHeartbeat } from "./claim/heartbeat.ts";
import { HeldBytes } from "./claim/held-bytes.ts";
import { Holdings } from "./holdings.ts";
import { Inbox } from "./claim/inbox.ts";
import { Leases } from "./claim/leases.ts";
import { Lookout } from "./claim/lookout.ts";
import type { WorkerOptions, WorkerReport } from "./worker-options.ts";
import { Occurrences } from "./tick/occurrences.ts";
import { Outbox } from "./settle/outbox.ts";
import { Pace } from "./claim/pace.ts";
import { Rest } from "./tick/rest.ts";
import { Slots } from "./run/slots.ts";
import { Tally } from "./settle/tally.ts";

/** Calls to the database at once: while one is on its way, the handlers fill the next. */
const EXCHANGES = 2;
/** With room for so many messages one more is faster; with less in each call it would be slower. */
const MANY_MESSAGES = 3_000;
/** With all slots busy for so long, in ms, the messages behind them are given to others. */
const STALLED_AFTER_MS = 1_000;

/**
 * Claims and handles messages until nothing is due within the budget.
 * @returns what was done
 * @throws TransportError if the database stayed out of reach; what was claimed is delivered again
 */
export function runWorker(options: WorkerOptions): Promise<WorkerReport> {
  return new Run(options).run();
}

class Run {
  readonly #options: WorkerOptions;
  readonly #tally: Tally;
  readonly #budget: Budget;
  readonly #pace: Pace;
  readonly #bytes: HeldBytes;
  readonly #inbox = new Inbox();
  readonly #slots: Slots;
  readonly #outbox: Outbox;
  readonly #holdings: Holdings;
  readonly #leases: Leases;
  readonly #heartbeat: Heartbeat;
  readonly #lookout: Lookout;
  readonly #rest: Rest;
  readonly #occurrences: Occurrences;
  /** The time of this turn of the loop: what is not due yet by it has a timer set by it. */
  #now = performance.now();
  /** Nothing more is claimed or started. */
  #stopping = false;
  readonly #mostExchanges: number;
  /** Calls on their way. */
  #exchanges = 0;
  /** Messages that they may bring. */
  #claiming = 0;
  #failure: unknown = null;
  #wake = () => {};

  constructor(options: WorkerOptions) {
    const { batchSize, concurrency, gate = processGate, log } = options;
    this.#options = options;
    this.#tally = new Tally(options.retry, log);
    this.#budget = new Budget(options, this.#now);
    this.#bytes = new HeldBytes(options.maxBytes);
    this.#pace = new Pace({ slots: concurrency, most: batchSize });
    this.#mostExchanges = batchSize < MANY_MESSAGES ? EXCHANGES : EXCHANGES + 1;
    this.#outbox = new Outbox(Math.ceil(batchSize / this.#mostExchanges));
    this.#leases = new Leases(options.leaseMs);
    this.#lookout = new Lookout({ ...options, endsAt: this.#budget.endsAt });
    this.#slots = new Slots({
      ...options,
      gate,
      pace: this.#pace,
      onOutcome: (envelope, outcome) => {
        this.#outbox.add(envelope, outcome);
        this.#wake();
      },
      onFree: () => this.#wake(),
    });
    this.#rest = new Rest(options.tick, {
      onDue: () => this.#lookout.lookNow(),
      onRest: (messagesInMs, schedulesInMs) => {
        this.#lookout.lookIn(messagesInMs);
        this.#occurrences.planIn(schedulesInMs, this.#budget.endsAt);
      },
      onAnswer: () => this.#wake(),
      log,
    });
    this.#occurrences = new Occurrences(options.schedules, (dispatched) => {
      this.#rest.worked();
      if (dispatched > 0) this.#lookout.lookNow();
      this.#wake();
    });
    this.#holdings = new Holdings({
      ...{ inbox: this.#inbox, slots: this.#slots, outbox: this.#outbox, bytes: this.#bytes },
      ...options,
    });
    this.#heartbeat = startHeartbeat({
      ...options,
      leaseMs: () => this.#leases.ms,
      held: () => this.#holdings.leases(),
      onKept: (sentAt) => this.#leases.kept(sentAt),
      onLost: (ids) => this.#holdings.drop(ids),
      onCancelled: (ids) => {
        this.#holdings.cancel(ids);
        this.#wake();
      },
    });
  }

  async run(): Promise<WorkerReport> {
    const { signal, drain } = this.#options;
    const onStop = () => {
      this.#slots.stopAll(new WorkerStoppedError());
      onDrain();
    };
    const onDrain = () => {
      this.#stopping = true;
      this.#wake();
    };
    signal?.addEventListener("abort", onStop);
    drain?.addEventListener("abort", onDrain);
    this.#stopping = signal?.aborted === true || drain?.aborted === true;
    try {
      while (!this.#finished()) {
        this.#now = performance.now();
        this.#checkLimits();
        this.#startHandlers();
        this.#giveBack();
        this.#startExchange();
        this.#startSchedules();
        this.#tellTick();
        await this.#change();
        if (this.#failure) throw this.#failure;
      }
      await this.#tally.hooksDone(this.#budget.stopsAt);
      return this.#tally.report;
    } finally {
      this.#heartbeat.stop();
      signal?.removeEventListener("abort", onStop);
      drain?.removeEventListener("abort", onDrain);
      this.#slots.stopAll(new WorkerStoppedError());
      this.#slots.close();
      this.#tally.close();
    }
  }

  #finished(): boolean {
    if (!this.#isIdle || this.#occurrences.busy) return false;
    if (this.#stopping) return true;
    const { asking, rested } = this.#rest;
    return !asking && rested && this.#lookout.done && this.#occurrences.done;
  }

  get #isIdle(): boolean {
    return this.#exchanges === 0 && !this.#hasWork && this.#outbox.isEmpty;
  }

  get #hasWork(): boolean {
    return this.#inbox.size > 0 || this.#slots.busy > 0;
  }

  /** Whether it holds leases of what waits and runs; those of what is to be settled do not count. */
  get #holdsLeases(): boolean {
    return this.#inbox.size > 0 || this.#slots.size > 0;
  }

  /** When the leases of what waits and runs are over, unless a heartbeat keeps them. */
  get #leasesEndAt(): number {
    return this.#holdsLeases ? this.#leases.endAt : Infinity;
  }

  /** For how long no slot has become free. */
  get #stalledMs(): number {
    return this.#slots.free > 0 ? 0 : this.#now - this.#slots.filledAt;
  }

  #checkLimits(): void {
    const spent = this.#stopping ? null : this.#budget.spent(this.#now);
    if (spent) {
      this.#stopping = true;
      this.#options.log.debug("budget_spent", { spent });
    }
    if (this.#now >= this.#budget.stopsAt) this.#slots.stopAll(new WorkerStoppedError());
    if (this.#now >= this.#leasesEndAt) {
      this.#options.log.warn("leases_over");
      this.#slots.stopAll(new LeaseLostError());
      this.#outbox.release(this.#inbox.takeAll());
    }
  }

  #startHandlers(): void {
    const late = this.#inbox.takeLate(this.#now);
    if (late.length > 0) this.#lookout.wasLate();
    this.#outbox.release(late);
    while (!this.#stopping && this.#inbox.size > 0 && this.#slots.free > 0) {
      const envelopes = this.#inbox.take(this.#slots.capacity);
      this.#budget.messages -= envelopes.length;
      this.#slots.start(envelopes, this.#now);
    }
  }

  #giveBack(): void {
    if (this.#stopping) this.#outbox.release(this.#inbox.takeAll());
    else if (this.#inbox.size > 0 && this.#stalledMs >= STALLED_AFTER_MS) {
      this.#outbox.release(this.#inbox.takeBeyond(this.#pace.stock(this.#stalledMs)));
    }
  }

  #startExchange(): void {
    if (this.#exchanges === this.#mostExchanges) return;
    const settles = this.#outbox.isDue(this.#now, !this.#hasWork);
    const request = this.#claimRequest(settles);
    if (request || settles) this.#exchange(request);
  }

  #claimRequest(settles: boolean): ClaimRequest | null {
    const waiting = this.#inbox.size + this.#claiming;
    const { busy, size: running, runsAlone } = this.#slots;
    if (this.#stopping || runsAlone || this.#now >= this.#leasesEndAt) return null;
    const stalledMs = this.#stalledMs;
    const { room, worthwhile } = this.#pace.room({ busy, running, waiting, stalledMs });
    // The last messages of its budget are worth a claim, however few.
    const left = this.#budget.messages - waiting;
    return this.#lookout.request(this.#now, {
      isEmpty: !this.#hasWork,
      claims: this.#claiming > 0,
      room: Math.min(room, left),
      worthwhile: Math.min(worthwhile, Math.max(1, left)),
      bytes: this.#bytes.room,
      slots: this.#claiming === 0 ? this.#slots.free : 0,
    }, settles);
  }

  /** Never throws. */
  async #exchange(request: ClaimRequest | null): Promise<void> {
    const done = this.#outbox.take();
    const claiming = request?.maxMessages ?? 0;
    this.#exchanges++;
    this.#claiming += claiming;
    this.#bytes.asked(request);
    const sentAt = performance.now();
    const keepTrying = () => {
      const holdsLeases = !this.#holdings.leases().next().done;
      return performance.now() < (holdsLeases ? this.#leases.endAt : sentAt + 5_000);
    };
    const settlements = done.map(({ settlement }) => settlement);
    try {
      const deps = { ...this.#options, keepTrying };
      const { settled, claim } = await exchange(settlements, request, deps);
      this.#pace.exchanged(performance.now() - sentAt);
      this.#tally.settled(settled, done);
      if (claim && request) this.#take(claim, request, sentAt);
    } catch (error) {
      this.#failure = error;
    }
    this.#outbox.written(done);
    this.#bytes.answered(request, done);
    this.#exchanges--;
    this.#claiming -= claiming;
    this.#rest.worked();
    this.#wake();
  }

  #take(claim: Claim, request: ClaimRequest, sentAt: number): void {
    if (this.#leases.taken(sentAt, !this.#holdsLeases, claim.leaseMs)) this.#heartbeat.hurry();
    this.#lookout.learn(claim, request);
    const isFull = claim.more === true || claim.messages.length === request.maxMessages;
    if (!request.quarantined && isFull) this.#options.tick?.backlog();
    for (const envelope of claim.crashed) {
      this.#outbox.add(envelope, judgeCrashed(envelope, claim, this.#options.retry));
    }
    this.#bytes.add(claim.messages);
    const { retry } = this.#options;
    for (const one of claim.messages) {
      if (one.expired) this.#outbox.add(one, judgeExpired(one, retry));
    }
    this.#inbox.add(claim.messages.filter(({ expired }) => !expired), sentAt);
    this.#tally.report.claimed += claim.messages.length;
  }

  #startSchedules(): void {
    if (!this.#stopping) this.#occurrences.start(this.#now, () => this.#rest.wake());
  }

  #tellTick(): void {
    const now = this.#now;
    if (now >= this.#rest.wakeAt) this.#rest.wake();
    this.#rest.turn({
      now,
      stopping: this.#stopping,
      exchanging: this.#exchanges > 0,
      idle: this.#isIdle && !this.#occurrences.busy,
      quiet: this.#lookout.quiet && !this.#occurrences.busy,
      stalledMs: this.#slots.runsAlone ? now - this.#slots.filledAt : this.#stalledMs,
      endsAt: this.#budget.endsAt,
      report: this.#tally.report,
    });
  }

  /** Waits until a handler or an exchange is done, or the next moment at which something is due. */
  async #change(): Promise<void> {
    const now = this.#now;
    const times = [
      ...[this.#budget.endsAt, this.#budget.stopsAt, this.#leasesEndAt, this.#inbox.startBy],
      this.#inbox.size > 0 ? this.#slots.filledAt + STALLED_AFTER_MS : Infinity,
      ...[this.#lookout.nextLookAt ?? Infinity, this.#outbox.dueAt, this.#occurrences.dueAt],
      ...[this.#rest.askAt, this.#rest.wakeAt, this.#rest.stallsAt(this.#slots.filledAt)],
    ];
    const next = Math.min(...times.filter((time) => time > now));
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (next < Infinity) timer = setTimeout(resolve, next - now);
      if (this.#finished()) resolve();
    });
    clearTimeout(timer);
  }
}
