/** The transport in memory, for tests: it behaves as the transport on Postgres does. */

import type { OutgoingMessage } from "../message/envelope.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { Dead, Settlement } from "../message/outcome.ts";
import { claimOf } from "./memory-claim.ts";
import { behind, give, isPastTtl, type MemoryState, pastTtl } from "./memory-give.ts";
import { MemoryKeys } from "./memory-keys.ts";
import { MemoryQueues } from "./memory-queues.ts";
import {
  cancelledInstead,
  checkSizes,
  checkTexts,
  checkTtl,
  heldKey,
  inClaimOrder,
  isMeant,
  type Row,
  type StoredEnvelope,
  toEnvelope,
  waitingAgain,
} from "./memory-rows.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { RateCounter } from "./rate-counter.ts";
import { checkCancel } from "../database/steps.ts";
import {
  type CancelFilter,
  type CancelResult,
  type Claim,
  type ClaimRequest,
  type HeartbeatResult,
  type Lease,
  type ProgressReport,
  type SettleResult,
  type Transport,
} from "./transport.ts";

/** A dead letter, as the transport in memory keeps it. */
export interface DeadLetter {
  readonly envelope: StoredEnvelope;
  readonly reason: Dead["reason"];
}

/** Is told of each message that is handled (reason null) or becomes a dead letter. */
export type FinishedListener = (envelope: StoredEnvelope, reason: Dead["reason"] | null) => void;

/** Keeps messages in this process. They are gone when it ends. */
export class InMemoryTransport implements Transport {
  /** Dead letters, oldest first. */
  readonly failed: DeadLetter[] = [];
  /** The queues' settings. */
  readonly queues = new MemoryQueues();
  /** All messages that were written, as they were then, oldest first. */
  readonly sent: StoredEnvelope[] = [];
  /** Handled messages, oldest first. */
  readonly handled: StoredEnvelope[] = [];
  /** Handled messages that are to be remembered, oldest first, and for how many ms. */
  readonly kept: { readonly envelope: StoredEnvelope; readonly keepMs: number }[] = [];
  /** What handlers last reported of messages that are here, by id. */
  readonly progress = new Map<string, { readonly value: number; readonly note: string | null }>();
  readonly #rows = new Map<string, Row>();
  readonly #keys: MemoryKeys;
  readonly #rates = new RateCounter();
  readonly #now: () => number;
  readonly #listeners: FinishedListener[] = [];
  #nextId = 1;

  /** @param options.now the clock, in ms since 1970; `Date.now` where absent */
  constructor(options: { readonly now?: () => number } = {}) {
    checkNames(options, ["now"]);
    this.#now = options.now ?? Date.now;
    this.#keys = new MemoryKeys(this.#now);
  }

  /** Messages that wait or run. */
  get messages(): readonly StoredEnvelope[] {
    return [...this.#rows.values()].map(({ envelope }) => envelope);
  }

  /** Messages that are leased. */
  get running(): readonly StoredEnvelope[] {
    const rows = [...this.#rows.values()];
    return rows.filter(({ leasedUntil }) => leasedUntil !== null).map(({ envelope }) => envelope);
  }

  /** Whether a message waits or runs. */
  has(id: string): boolean {
    return this.#rows.has(id);
  }

  /** Tells a listener of each message that is finished from now on. */
  onFinished(listener: FinishedListener): void {
    this.#listeners.push(listener);
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async send(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): Promise<string[]> {
    return this.enqueue(messages, limits);
  }

  /** Counts dispatches against rate limits, all or nothing. @throws RateLimitedError */
  count(limits: readonly LimitedDispatch[]): void {
    this.#rates.count(limits, this.#now());
  }

  /** What {@link send} does, at once: nothing else comes between. */
  enqueue(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): string[] {
    checkTexts("send", messages);
    checkSizes(messages);
    for (const message of messages) checkTtl(message, this.#now());
    this.#keys.check(messages);
    this.count(limits);
    return messages.map((message) => {
      const known = this.#keys.known(message);
      if (known !== undefined) return known;
      const holds = heldKey(message);
      const holder = this.#rows.values().find((row) => holds && row.holds?.key === holds.key);
      // What has expired while it waited will not run: it lets go of its key.
      const isOver = holder?.leasedUntil === null && isPastTtl(holder, this.#now());
      if (holder && !isOver) return holder.envelope.id;
      if (holder) holder.holds = null;

      const id = String(this.#nextId++);
      this.#keys.hold(message, id);
      const envelope = toEnvelope(id, message, this.#now());
      this.#rows.set(id, { envelope, leasedUntil: null, holds });
      this.sent.push(envelope);
      return id;
    });
  }

  claim(request: ClaimRequest): Promise<Claim> {
    const now = this.#now();
    const { token, quarantined = false } = request;
    const crashedToken = `${token} crashed`;
    if (request.repeated) {
      const again = [...this.#rows.values()].filter(({ cancelled }) => !cancelled)
        .map(({ envelope }) => envelope);
      const messages = again.filter(({ leaseToken }) => leaseToken === token);
      const crashed = again.filter(({ leaseToken }) => leaseToken === crashedToken);
      if (messages.length + crashed.length > 0) {
        return this.#answer(messages, crashed, request, false);
      }
    }
    const wanted = this.#wanted(request);
    const crashed = wanted.filter((row) =>
      request.sweep !== false && row.leasedUntil !== null && row.leasedUntil <= now
    );
    const past = request.sweep === false ? [] : pastTtl(request, this.#state);
    const rest = behind(past, request);
    const { given, more } = give(
      wanted.filter((row) =>
        row.leasedUntil === null && row.envelope.quarantined === quarantined &&
        row.envelope.availableAt.getTime() <= now && !past.includes(row)
      ).sort(inClaimOrder),
      rest,
      this.#state,
    );
    const taken = [...past, ...given].sort(inClaimOrder);
    const lease = (row: Row, leaseToken: string, attempts: number) => {
      row.leasedUntil = now + (this.queues.get(row.envelope.queue).leaseMs ?? request.leaseMs);
      const expired = isPastTtl(row, now);
      if (row.holds?.untilStarted || expired) row.holds = null;
      return row.envelope = { ...row.envelope, leaseToken, attempts, expired };
    };
    const start = (row: Row) =>
      lease(row, request.unread ? crashedToken : token, row.envelope.attempts + 1);
    // A sweep that nobody settled counts, as in Postgres.
    const sweep = (row: Row) => {
      const { attempts, leaseToken } = row.envelope;
      return lease(row, crashedToken, attempts + Number(leaseToken.endsWith(" crashed")));
    };
    return this.#answer(
      request.unread ? [] : taken.map(start),
      [...crashed.map(sweep), ...(request.unread ? taken.map(start) : [])],
      request,
      more || rest.maxMessages < request.maxMessages - past.length,
    );
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async settle(settlements: readonly Settlement[]): Promise<SettleResult> {
    checkTexts("settle", settlements);
    const stale = settlements.filter((settlement) => {
      const row = this.#leased(settlement.id, settlement.leaseToken);
      if (!row) return true;
      const cancelled = row.cancelled ? cancelledInstead(settlement.outcome) : null;
      if (cancelled) this.#bury(row, cancelled);
      else this.#write(row, settlement);
      return cancelled !== null;
    });
    return { stale: stale.map(({ id }) => id) };
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
        const row = this.#leased(id, token);
        if (row) {
          row.leasedUntil = this.#now() + (this.queues.get(row.envelope.queue).leaseMs ?? leaseMs);
        }
        if (!row) lost.push(id);
        else if (row.cancelled) cancelled.push(id);
      }
    }
    return Promise.resolve({ lost, cancelled });
  }

  reportProgress(reports: readonly ProgressReport[]): Promise<void> {
    for (const { id, leaseToken, value, note = null } of reports) {
      if (this.#leased(id, leaseToken)) this.progress.set(id, { value, note });
    }
    return Promise.resolve();
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async cancel(filter: CancelFilter): Promise<CancelResult> {
    checkCancel(filter);
    const now = this.#now();
    const result = { cancelled: 0, running: 0 };
    for (const row of this.#rows.values()) {
      if (row.cancelled || !isMeant(row, filter)) continue;
      if (row.leasedUntil !== null && row.leasedUntil > now) {
        row.cancelled = true;
        result.running++;
      } else {
        this.#bury(row, { kind: "dead", reason: "cancelled", errors: [] });
        result.cancelled++;
      }
    }
    return result;
  }

  #leased(id: string, token: string): Row | undefined {
    const row = this.#rows.get(id);
    return row && row.leasedUntil !== null && row.envelope.leaseToken === token ? row : undefined;
  }

  #wanted({ queues }: ClaimRequest): Row[] {
    return [...this.#rows.values()].filter(({ envelope: { queue } }) =>
      (!queues || queues.includes(queue)) && !this.queues.get(queue).paused
    );
  }

  get #state(): MemoryState {
    return { rows: [...this.#rows.values()], queues: this.queues, now: this.#now() };
  }

  #answer(
    messages: StoredEnvelope[],
    crashed: StoredEnvelope[],
    request: ClaimRequest,
    more: boolean,
  ): Promise<Claim> {
    const given = { messages, crashed, more };
    return Promise.resolve(claimOf(given, request, this.#wanted(request), this.#state));
  }

  #write(row: Row, { id, outcome }: Settlement): void {
    const { envelope } = row;
    switch (outcome.kind) {
      case "handled":
        this.#rows.delete(id);
        this.progress.delete(id);
        this.handled.push(envelope);
        this.#finished(envelope, null);
        if (outcome.keepMs !== undefined) this.kept.push({ envelope, keepMs: outcome.keepMs });
        break;
      case "dead":
        this.#bury(row, outcome);
        break;
      default:
        row.leasedUntil = null;
        row.envelope = waitingAgain(envelope, outcome, this.#now());
    }
  }

  #bury({ envelope }: Row, { reason, stamps = envelope.stamps, errors }: Dead): void {
    this.#rows.delete(envelope.id);
    const buried = {
      ...envelope,
      stamps: structuredClone(stamps),
      errors: [...envelope.errors, ...structuredClone(errors)],
    };
    this.failed.push({ envelope: buried, reason });
    this.#finished(buried, reason);
  }

  #finished(envelope: StoredEnvelope, reason: Dead["reason"] | null): void {
    for (const listener of this.#listeners) listener(envelope, reason);
  }
}
