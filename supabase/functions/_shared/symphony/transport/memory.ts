/** The transport in memory, for tests: it behaves as the transport on Postgres does. */

import { checkCancel } from "../database/filters.ts";
import type { BatchChunk, BatchResults, WrittenBatch } from "../message/dispatched-batch.ts";
import type { FollowedBatch } from "../message/followed-batch.ts";
import { cancelMessageOf } from "../message/cancel-stamp.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import type { Dead, Settlement } from "../message/outcome.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { HOME_CAPABILITIES } from "./capabilities.ts";
import { MemoryBatches } from "./memory-batches.ts";
import { checkTexts } from "./memory-checks.ts";
import { claimOf } from "./memory-claim.ts";
import { MemoryDurable } from "./memory-durable.ts";
import { withParent } from "./memory-queues.ts";
import type { MemoryState } from "./memory-give.ts";
import { leasedBefore, leaseRows } from "./memory-lease.ts";
import type { MemoryOptions } from "./memory-store.ts";
import {
  cancelledInstead,
  holdAgain,
  matches,
  parkedAgain,
  type Row,
  waitingAgain,
} from "./memory-rows.ts";
import type {
  CancelFilter,
  CancelResult,
  Claim,
  ClaimRequest,
  HeartbeatResult,
  Lease,
  ProgressReport,
  RefusedEffects,
  SettleResult,
  ToldStep,
} from "./receiver.ts";
import type { Transport } from "./transport.ts";

/** The latest reports of a stored message; `value` is null if only a step was told. */
export interface MemoryProgress {
  readonly value: number | null;
  readonly note: string | null;
  readonly step?: ToldStep;
}

/** Keeps messages in this process. They are gone when it ends. */
export class InMemoryTransport extends MemoryDurable implements Transport {
  readonly capabilities = HOME_CAPABILITIES;
  /** The latest progress reports of stored messages, by id. */
  readonly progress = new Map<string, MemoryProgress>();
  readonly #batches: MemoryBatches;

  constructor(options: MemoryOptions = {}) {
    super(options);
    this.#batches = new MemoryBatches({
      now: this.now,
      enqueue: (messages) => this.enqueue(messages),
      stampsOf: (id) => this.rows.get(id)?.envelope.stamps,
      wake: (id) => this.wake(id),
      cancel: (ids) => this.#cancel((row) => ids.includes(row.envelope.id)),
    });
    this.onFinished(({ stamps }, reason) => this.#batches.finished(stamps, reason));
  }

  // deno-lint-ignore require-await -- an error must reject the promise
  async send(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): Promise<string[]> {
    return this.enqueue(messages, limits);
  }

  /** Reserves one id: a further one would be lower than those of messages that are sent meanwhile. */
  reserveIds(_number: number): Promise<readonly string[]> {
    return Promise.resolve([this.newId()]);
  }

  claim(request: ClaimRequest): Promise<Claim> {
    const state = this.#state;
    const wanted = state.rows.filter(({ envelope: { queue, transport }, leasedUntil }) => {
      if (this.elsewhere.has(transport)) return false;
      const { paused, runsOn } = this.queues.get(queue);
      if (paused) return false;
      // A claim without names only sweeps the queues that run on workers.
      return request.queues?.some((name) => withParent(queue).includes(name)) ??
        (runsOn !== "worker" || leasedUntil !== null);
    });
    const given = (request.repeated ? leasedBefore(request, state.rows) : null) ??
      leaseRows(request, wanted, state);
    return Promise.resolve(claimOf(given, request, wanted, state));
  }

  // deno-lint-ignore require-await -- an error must reject the promise
  async settle(settlements: readonly Settlement[]): Promise<SettleResult> {
    checkTexts("settle", settlements);
    const stale: string[] = [];
    const refused: RefusedEffects[] = [];
    for (const settlement of settlements) {
      const { id, leaseToken, outcome, effects } = settlement;
      const row = this.leased(id, leaseToken);
      const cancelled = row?.cancelled ? cancelledInstead(outcome) : null;
      if (!row || cancelled) stale.push(id);
      if (!row) continue;
      try {
        this.check(effects?.messages.map(({ message }) => message) ?? []);
      } catch (error) {
        refused.push({ id, leaseToken, error });
        continue;
      }
      if (cancelled) this.#bury(row, cancelled);
      else this.#write(row, settlement);
      this.writeEffects(effects);
    }
    // Nothing else runs beside it, so that no member waits for a fold of its own.
    this.#batches.fold();
    return refused.length === 0 ? { stale } : { stale, refused };
  }

  async settleAndClaim(
    settlements: readonly Settlement[],
    request: ClaimRequest,
  ): Promise<SettleResult & Claim> {
    return { ...await this.settle(settlements), ...await this.claim(request) };
  }

  extendLeases(leases: readonly Lease[], leaseMs: number): Promise<HeartbeatResult> {
    const lost: string[] = [];
    const cancelled: string[] = [];
    for (const { token, ids } of leases) {
      for (const id of ids) {
        const row = this.leased(id, token);
        if (row) {
          row.leasedUntil = this.now() + (this.queues.get(row.envelope.queue).leaseMs ?? leaseMs);
        }
        if (!row) lost.push(id);
        else if (row.cancelled) cancelled.push(id);
      }
    }
    return Promise.resolve({ lost, cancelled });
  }

  reportProgress(reports: readonly ProgressReport[]): Promise<void> {
    for (const { id, leaseToken, step, value, note = null } of reports) {
      if (!this.leased(id, leaseToken)) continue;
      const known = this.progress.get(id) ?? { value: null, note: null };
      const next = value === undefined ? known : { ...known, value, note };
      this.progress.set(id, step ? { ...next, step } : next);
    }
    return Promise.resolve();
  }

  // deno-lint-ignore require-await -- an error must reject the promise
  async cancel(filter: CancelFilter): Promise<CancelResult> {
    checkCancel(filter);
    return this.#cancel((row) => matches(row, filter));
  }

  // deno-lint-ignore require-await -- an error must reject the promise
  async writeBatch(
    chunk: BatchChunk,
    limits: readonly LimitedDispatch[] = [],
  ): Promise<WrittenBatch> {
    return this.#batches.write(chunk, () => this.count(limits));
  }

  foldBatches(ids: readonly string[]): Promise<void> {
    return Promise.resolve(this.#batches.fold(ids));
  }

  followBatch(id: string, userId: string | null = null): Promise<FollowedBatch | null> {
    return Promise.resolve(this.#batches.follow(id, userId));
  }

  batchResults(id: string): Promise<BatchResults> {
    return Promise.resolve(this.#batches.results(id, (member) => this.finished.fateOf(member)));
  }

  // deno-lint-ignore require-await -- an error must reject the promise
  async cancelBatch(id: string): Promise<CancelResult> {
    return this.#batches.cancel(id);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #cancel(isMeant: (row: Row) => boolean): CancelResult {
    const now = this.now();
    const result = { cancelled: 0, running: 0 };
    for (const row of [...this.rows.values()]) {
      if (row.cancelled || !isMeant(row)) continue;
      if (row.leasedUntil !== null && row.leasedUntil > now) {
        row.cancelled = true;
        result.running++;
      } else {
        this.#bury(row, { kind: "dead", reason: "cancelled", errors: [] });
        result.cancelled++;
      }
    }
    this.#batches.fold();
    return result;
  }

  get #state(): MemoryState {
    return { rows: [...this.rows.values()], queues: this.queues, now: this.now() };
  }

  #write(row: Row, { id, outcome }: Settlement): void {
    const { envelope } = row;
    switch (outcome.kind) {
      case "handled":
        this.rows.delete(id);
        this.progress.delete(id);
        this.steps.forget(id);
        this.events.forget(id);
        this.finished.addHandled(envelope, outcome);
        break;
      case "dead":
        this.#bury(row, outcome);
        break;
      case "parked":
        row.leasedUntil = null;
        if (outcome.step) this.steps.park(id, outcome.step, this.now());
        row.envelope = parkedAgain(
          envelope,
          outcome,
          this.steps.endOf(id, this.now(), outcome.step),
          this.now(),
        );
        if (outcome.waits && this.events.wait(id, outcome.waits, this.steps.of(id))) {
          this.wakeUp(id);
        }
        break;
      default:
        row.leasedUntil = null;
        row.envelope = waitingAgain(envelope, outcome, this.now());
        if (outcome.kind === "released") holdAgain(row, this.rows.values());
    }
  }

  #bury({ envelope }: Row, outcome: Dead): void {
    this.rows.delete(envelope.id);
    this.events.forget(envelope.id);
    this.finished.bury(envelope, outcome);
    if (outcome.reason !== "cancelled") return;
    const follower = cancelMessageOf(envelope.stamps);
    if (follower) this.enqueue([follower]);
    this.#batches.cancelOf(envelope.id);
  }
}
