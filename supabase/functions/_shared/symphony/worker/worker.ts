/** The worker: claims, runs a bounded number of handlers at once, settles; one run is one tick's. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus.ts";
import type { Envelope } from "../envelope.ts";
import { CancelledError, CrashError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { released, type Settlement } from "../outcome.ts";
import type { RetryManager } from "../retry/manager.ts";
import type { Claim, ClaimRequest, Transport } from "../transport/transport.ts";
import { attempt } from "./attempt.ts";
import { exchange } from "./exchange.ts";
import { type Gate, processGate } from "./gate.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { Lookout } from "./lookout.ts";
import { Rest } from "./rest.ts";

/** What one run is held to. */
export interface WorkerLimits {
  /** For so many ms from the start, messages are claimed and started; running ones may finish. */
  readonly budgetMs: number;
  /** Only these queues; all where absent. */
  readonly queues?: readonly string[];
  /** Aborting it ends the run: nothing new is started, running handlers are told. */
  readonly signal?: AbortSignal;
  /** The tick that this run is, where the database has to know of it. */
  readonly tick?: WorkerTick;
}

/** What a worker is made of and held to. */
export interface WorkerOptions extends WorkerLimits {
  readonly transport: Transport;
  readonly bus: MessageBus;
  readonly retry: RetryManager;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  /** Messages held at once, running and waiting to run. */
  readonly batchSize: number;
  /** Handlers running at once. */
  readonly concurrency: number;
  /** How long a lease lasts without a heartbeat, in ms. */
  readonly leaseMs: number;
  /** The gate of messages that run alone; the process's own where absent. */
  readonly gate?: Gate;
}

/** What a run tells its tick. */
export interface WorkerTick {
  /**
   * Nothing more is to be claimed for now: asks whether the run may stop looking.
   * @param report of a run that is done by this
   */
  rest(report: WorkerReport | null): Promise<{ readonly rested: boolean; readonly due: boolean }>;
  /** A claim came back full: there is work for others. */
  backlog(): void;
}

/** What a run did. */
export interface WorkerReport {
  /** Messages claimed and kept: not those given back, unstarted or snoozed. */
  claimed: number;
  handled: number;
  retried: number;
  /** Messages moved to the dead letters. */
  failed: number;
}

/** An outcome waits for company so long, in ms, before it is written alone. */
const FLUSH_AFTER_MS = 100;

/**
 * Claims and handles messages until nothing is due within the budget.
 * @returns what was done
 * @throws TransportError if the database stayed out of reach; what was claimed is delivered again
 */
export function runWorker(options: WorkerOptions): Promise<WorkerReport> {
  return new Run(options).run();
}

interface Running {
  readonly envelope: Envelope;
  readonly stop: AbortController;
}

class Run {
  readonly #options: WorkerOptions;
  readonly #gate: Gate;
  readonly #report: WorkerReport = { claimed: 0, handled: 0, retried: 0, failed: 0 };
  readonly #endsAt: number;
  /** The time of this turn of the loop: what is not due yet by it has a timer set by it. */
  #now = performance.now();
  /** Claimed, not started. */
  #inbox: Envelope[] = [];
  /** Started, not done. */
  readonly #running = new Map<string, Running>();
  /** Done, not written. */
  #done: { readonly settlement: Settlement; readonly envelope: Envelope; readonly at: number }[] =
    [];
  /** Being written. */
  #writing: readonly Settlement[] = [];
  #exchanging = false;
  #failure: unknown = null;
  readonly #hooks = new Set<Promise<void>>();
  readonly #lookout: Lookout;
  readonly #rest: Rest;
  #leasedAt = performance.now();
  #wake = () => {};

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#gate = options.gate ?? processGate;
    this.#endsAt = performance.now() + options.budgetMs;
    this.#lookout = new Lookout({ ...options, endsAt: this.#endsAt });
    this.#rest = new Rest(options.tick, {
      onDue: () => this.#lookout.lookNow(),
      onAnswer: () => this.#wake(),
      log: options.log,
    });
  }

  async run(): Promise<WorkerReport> {
    const stopHeartbeat = startHeartbeat({
      ...this.#options,
      held: () => this.#held(),
      onKept: () => this.#leasedAt = performance.now(),
      onLost: (ids) => this.#drop(ids),
      onCancelled: (ids) => this.#cancel(ids),
    });
    const onAbort = () => this.#abortAll();
    this.#options.signal?.addEventListener("abort", onAbort);
    try {
      while (!this.#finished()) {
        this.#now = performance.now();
        this.#startHandlers();
        this.#startExchange();
        this.#startRest();
        await this.#change();
        if (this.#failure) throw this.#failure;
      }
      await Promise.all(this.#hooks);
      return this.#report;
    } finally {
      stopHeartbeat();
      this.#options.signal?.removeEventListener("abort", onAbort);
      this.#abortAll();
    }
  }

  get #stopping(): boolean {
    return this.#options.signal?.aborted === true ||
      this.#now >= this.#endsAt;
  }

  #finished(): boolean {
    if (!this.#idle || this.#rest.asking) return false;
    return this.#stopping || (this.#lookout.done && this.#rest.rested);
  }

  get #idle(): boolean {
    return !this.#exchanging && this.#inbox.length + this.#running.size === 0 &&
      this.#done.length === 0;
  }

  #startRest(): void {
    if (this.#exchanging || this.#stopping || !this.#lookout.quiet) this.#rest.interrupt();
    else if (this.#idle) this.#rest.ask(this.#lookout.done ? { ...this.#report } : null);
    else this.#rest.askSoon();
  }

  #startHandlers(): void {
    const { concurrency } = this.#options;
    while (this.#inbox.length > 0 && this.#running.size < concurrency && !this.#stopping) {
      const envelope = this.#inbox.shift();
      if (envelope) this.#start(envelope);
    }
    if (this.#stopping) {
      for (const envelope of this.#inbox.splice(0)) this.#settle(envelope, released);
    }
  }

  #start(envelope: Envelope): void {
    const stop = new AbortController();
    this.#running.set(envelope.id, { envelope, stop });
    const work = () => attempt(envelope, stop.signal, this.#options);
    const outcome = envelope.alone ? this.#gate.exclusive(work) : this.#gate.shared(work);
    outcome.then((outcome) => {
      this.#running.delete(envelope.id);
      this.#settle(envelope, outcome);
      this.#wake();
    });
  }

  #settle(envelope: Envelope, outcome: Settlement["outcome"]): void {
    const { id, leaseToken, groupKey } = envelope;
    const settlement = { id, leaseToken, grouped: groupKey !== null, outcome };
    this.#done.push({ settlement, envelope, at: performance.now() });
  }

  #startExchange(): void {
    if (this.#exchanging) return;
    const settles = this.#flushDue;
    const request = this.#stopping || this.#runsAlone
      ? null
      : this.#lookout.request(this.#now, this.#inbox.length + this.#running.size, settles);
    if (!request && !settles) return;
    this.#exchanging = true;
    this.#exchange(request)
      .catch((error) => this.#failure = error)
      .finally(() => {
        this.#exchanging = false;
        this.#wake();
      });
  }

  /** Whether outcomes should be written now: many, old enough, or with nothing left to wait for. */
  get #flushDue(): boolean {
    const [oldest] = this.#done;
    if (!oldest) return false;
    return this.#done.length * 2 >= this.#options.batchSize ||
      this.#inbox.length + this.#running.size === 0 ||
      this.#now - oldest.at >= FLUSH_AFTER_MS;
  }

  get #runsAlone(): boolean {
    return this.#running.values().some(({ envelope }) => envelope.alone) ||
      this.#inbox.some(({ alone }) => alone);
  }

  async #exchange(request: ClaimRequest | null): Promise<void> {
    const { transport, log, leaseMs } = this.#options;
    const done = this.#done.splice(0);
    this.#writing = done.map(({ settlement }) => settlement);
    const startedAt = performance.now();
    const keepTrying = () => {
      const holdsLeases = !this.#held().next().done;
      return performance.now() < (holdsLeases ? this.#leasedAt + leaseMs : startedAt + 5_000);
    };
    const { settled, claim } = await exchange(this.#writing, request, {
      transport,
      keepTrying,
      log,
    });
    this.#writing = [];
    this.#count(settled, done);
    if (claim && request) this.#take(claim, request);
  }

  #count(settled: readonly Settlement[], done: readonly { readonly envelope: Envelope }[]): void {
    const envelopes = new Map(done.map(({ envelope }) => [envelope.id, envelope]));
    for (const { id, outcome } of settled) {
      const envelope = envelopes.get(id);
      if (outcome.kind === "handled") this.#report.handled++;
      else if (outcome.kind === "released" || outcome.kind === "snoozed") this.#report.claimed--;
      else if (envelope) {
        if (outcome.kind === "retry") this.#report.retried++;
        else this.#report.failed++;
        const hook = this.#options.retry.runHooks(envelope, outcome);
        this.#hooks.add(hook);
        hook.finally(() => this.#hooks.delete(hook));
      }
    }
  }

  #take(claim: Claim, request: ClaimRequest): void {
    this.#leasedAt = performance.now();
    this.#lookout.learn(claim, request);
    if (!request.runAlone && claim.messages.length === request.maxMessages) {
      this.#options.tick?.backlog();
    }
    for (const envelope of claim.crashed) {
      const outcome = this.#options.retry.decide(envelope, new CrashError(), { durationMs: 0 });
      this.#settle(envelope, outcome);
    }
    this.#inbox.push(...claim.messages);
    this.#report.claimed += claim.messages.length;
  }

  /** Everything whose lease this worker has to keep. */
  *#held(): Generator<{ readonly id: string; readonly leaseToken: string }> {
    yield* this.#inbox;
    for (const { envelope } of this.#running.values()) yield envelope;
    for (const { settlement } of this.#done) yield settlement;
    yield* this.#writing;
  }

  /** Lets go of messages whose lease is another's by now. */
  #drop(ids: readonly string[]): void {
    this.#options.log.warn("lease_lost", { ids });
    const lost = new Set(ids);
    this.#inbox = this.#inbox.filter(({ id }) => !lost.has(id));
    for (const id of ids) this.#running.get(id)?.stop.abort(new Error("the lease was lost"));
  }

  /** Stops messages that an operator has cancelled, and does not start those that wait. */
  #cancel(ids: readonly string[]): void {
    const error = new CancelledError();
    const cancelled = new Set(ids);
    for (const envelope of this.#inbox.filter(({ id }) => cancelled.has(id))) {
      this.#settle(envelope, this.#options.retry.decide(envelope, error, { durationMs: 0 }));
    }
    this.#inbox = this.#inbox.filter(({ id }) => !cancelled.has(id));
    for (const id of ids) this.#running.get(id)?.stop.abort(error);
    this.#wake();
  }

  #abortAll(): void {
    for (const { stop } of this.#running.values()) stop.abort(new Error("the worker has to end"));
    this.#wake();
  }

  /** Waits until a handler or an exchange is done, or the next moment at which something is due. */
  async #change(): Promise<void> {
    const now = this.#now;
    const times = [
      this.#endsAt,
      this.#lookout.nextLookAt ?? Infinity,
      this.#rest.askAt,
      (this.#done[0]?.at ?? Infinity) + FLUSH_AFTER_MS,
    ].filter((time) => time > now && time < Infinity);
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (times.length > 0) timer = setTimeout(resolve, Math.min(...times) - now);
      if (this.#finished()) resolve();
    });
    clearTimeout(timer);
  }
}
