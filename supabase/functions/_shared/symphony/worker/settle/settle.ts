/**
 * Settling. The outcome of a message waits in the settle buffer until there are enough of them. One
 * call then writes all that wait, and claims the next messages if the worker has a request for them. The run
 * report counts the outcomes that were written.
 */

import type { Effects } from "../../message/effects.ts";
import type { Envelope } from "../../message/envelope.ts";
import type { Settlement } from "../../message/outcome.ts";
import type { RetryManager } from "../../retry/manager.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Claim, ClaimRequest, RefusedEffects } from "../../transport/receiver.ts";
import type { Transport } from "../../transport/transport.ts";
import { noteClaim, settling } from "../../tracing/spans.ts";
import { type CallDependencies, refusedForMs } from "../calls.ts";
import type { SeriesCounter } from "../series/series-counter.ts";
import type { WorkerReport } from "../worker-options.ts";
import { BatchFolds } from "./batch-folds.ts";
import { LateOutcomes } from "./late-outcomes.ts";
import { RunReport } from "./run-report.ts";
import { settleAndClaim, settleApart, type SettledAndClaimed } from "./settle-and-claim.ts";
import { type Done, SettleBuffer } from "./settle-buffer.ts";

/**
 * Calls under way at once: while the database serves one, handlers fill the next. One worker drains about a
 * third more than with one call.
 */
const CALLS = 2;
/** From this batch size on a third call drains 7 % more; at 500 it drains 8 % less, because each call is small. */
const LARGE_BATCH = 3_000;

/** The parts of a settler. */
export interface SettlerOptions {
  readonly transport: Transport;
  readonly retry: RetryManager;
  readonly log: Logger;
  /** Most messages held at once. */
  readonly batchSize: number;
  /** Counts of the runs before, to which this run adds its own; zeros by default. */
  readonly counts?: WorkerReport;
  /** Counts for the time series; by default nothing is counted. */
  readonly series?: SeriesCounter | undefined;
  /** Called when an outcome ends that was tried again apart from its call. */
  readonly onLate?: () => void;
}

/** The result of one round trip. */
export interface RoundTrip {
  /** Null if the call only settled, or its claim gave way to other calls. */
  readonly claim: Claim | null;
  /** The outcomes that it took from the buffer. */
  readonly done: readonly Done[];
}

/** Writes outcomes. */
export class Settler {
  /** Most calls under way at once. */
  readonly mostCalls: number;
  readonly buffer: SettleBuffer;
  readonly report: RunReport;
  readonly folds: BatchFolds;
  readonly late: LateOutcomes;
  /** Whether a failed call is still worth repeating, as the latest call says. */
  #keepTrying = () => true;
  readonly #options: SettlerOptions;
  #isClosed = false;

  constructor(options: SettlerOptions) {
    const { batchSize, retry, log, onLate = () => {} } = options;
    this.#options = options;
    this.mostCalls = batchSize < LARGE_BATCH ? CALLS : CALLS + 1;
    this.buffer = new SettleBuffer(Math.ceil(batchSize / this.mostCalls));
    this.report = new RunReport(retry, log, options.counts, options.series);
    this.folds = new BatchFolds(options);
    this.late = new LateOutcomes((taken, mayWait) => this.#settleLate(taken, mayWait), onLate);
  }

  /** A message has an outcome. @param effects what is written with it */
  add(envelope: Envelope, outcome: Settlement["outcome"], effects?: Effects): void {
    if (!this.#isClosed) this.#countInSeries(envelope, outcome);
    this.buffer.add(envelope, outcome, effects);
  }

  /**
   * Writes all outcomes that wait, and claims if there is a request.
   * @param limits.keepTrying whether a call that failed is still worth repeating
   * @param limits.isAwaited whether others wait for this call to end
   * @throws TransportError if the database stayed out of reach
   */
  async settleAndClaim(
    request: ClaimRequest | null,
    limits: Pick<CallDependencies, "keepTrying" | "isAwaited">,
  ): Promise<RoundTrip> {
    const { transport, log } = this.#options;
    const done = this.buffer.take();
    const settlements = done.map(({ settlement }) => settlement);
    const late = new Set<Settlement>();
    const later = (one: Settlement) => late.size < this.late.room && late.add(one).size > 0;
    this.#keepTrying = limits.keepTrying;
    try {
      const deps = { transport, log, later, ...limits };
      const startedAt = Date.now();
      const result = await settling(done, () => settleAndClaim(settlements, request, deps));
      const { claim } = result;
      if (claim) noteClaim(claim.messages, startedAt);
      this.#written(result, late.size === 0 ? done : this.#withoutLate(done, late));
      return { claim, done };
    } catch (error) {
      if (!this.#isClosed) this.report.lost(done);
      throw error;
    } finally {
      this.buffer.written(done);
    }
  }

  /** Counts outcomes that were written. @param done what a call has taken, without what is tried again later */
  #written({ settled, refused }: Omit<SettledAndClaimed, "claim">, done: readonly Done[]): void {
    if (this.#isClosed) {
      for (const one of done) this.#countInSeries(one.envelope, one.settlement.outcome);
    }
    this.report.settled(settled, done);
    this.folds.settled(done);
    for (const one of refused) this.#fail(one, done);
  }

  /** Lets the late ones among the outcomes be tried again, and returns the others. */
  #withoutLate(done: readonly Done[], late: ReadonlySet<Settlement>): readonly Done[] {
    for (const one of done) {
      if (late.has(one.settlement)) this.late.add(this.buffer.takeApart(one));
    }
    return done.filter(({ settlement }) => !late.has(settlement));
  }

  /** Writes a late outcome. Returns whether it still waits; never rejects. */
  async #settleLate(taken: readonly Done[], mayWait: boolean): Promise<boolean> {
    const { transport, log } = this.#options;
    const keepTrying = this.#keepTrying;
    let waits = false;
    const later = () => waits = mayWait && keepTrying();
    try {
      const settlements = taken.map(({ settlement }) => settlement);
      const result = await settleApart(settlements, { transport, log, keepTrying, later });
      if (waits) return true;
      this.#written(result, taken);
    } catch (error) {
      const ids = taken.map(({ envelope }) => envelope.id);
      for (const id of ids) log.error("settle_given_up", { id, error: String(error) });
      if (!this.#isClosed) this.report.lost(taken);
    }
    this.buffer.written(taken);
    return false;
  }

  #countInSeries(envelope: Envelope, outcome: Settlement["outcome"]): void {
    this.#options.series?.ended(envelope, outcome);
  }

  /**
   * The run is over. Outcomes that still wait, or that come from handlers that still work, are not written: their
   * messages come again, and count then. Those of a call under way count once it has succeeded.
   */
  close(): void {
    this.#isClosed = true;
    this.report.lost(this.buffer.drop());
    this.report.close();
    this.folds.close();
    this.late.close();
  }

  /** The dispatches of a message's handlers are refused: its attempt fails with that error, and they are dropped. */
  #fail({ id, leaseToken, error }: RefusedEffects, done: readonly Done[]): void {
    const { retry, log } = this.#options;
    const envelope = done.find(({ envelope }) =>
      envelope.id === id && envelope.leaseToken === leaseToken
    )?.envelope;
    if (!envelope) return;
    log.warn("dispatch_refused", { id, type: envelope.type, error: String(error) });
    const waitMs = refusedForMs(error);
    const attempt = { durationMs: 0, byHandler: true, ...(waitMs !== undefined && { waitMs }) };
    this.add(envelope, retry.decide(envelope, error, attempt));
  }
}
