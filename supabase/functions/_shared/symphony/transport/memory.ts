/** The transport in memory: for tests of handlers, with the same behaviour as the one on Postgres. */

import type { OutgoingMessage } from "../message/envelope.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { Dead, Settlement } from "../message/outcome.ts";
import {
  behind,
  give,
  isFirst,
  isPastTtl,
  leasesOf,
  type MemoryState,
  pastTtl,
} from "./memory-give.ts";
import { MemoryKeys } from "./memory-keys.ts";
import { MemoryQueues, once } from "./memory-queues.ts";
import {
  cancelledInstead,
  checkSizes,
  checkTexts,
  checkTtl,
  handedOut,
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
  START_WINDOW_MS,
  type Transport,
} from "./transport.ts";

/** A dead letter, as the transport in memory keeps it. */
export interface DeadLetter {
  readonly envelope: StoredEnvelope;
  readonly reason: Dead["reason"];
}

/** Keeps messages in this process. They are gone when it ends. */
export class InMemoryTransport implements Transport {
  /** Dead letters, oldest first. */
  readonly failed: DeadLetter[] = [];
  /** The queues' settings. */
  readonly queues = new MemoryQueues();
  /** Handled messages that are to be remembered, oldest first, and for how many ms. */
  readonly kept: { readonly envelope: StoredEnvelope; readonly keepMs: number }[] = [];
  /** What handlers last reported of messages that are here, by id. */
  readonly progress = new Map<string, { readonly value: number; readonly note: string | null }>();
  readonly #rows = new Map<string, Row>();
  readonly #keys: MemoryKeys;
  readonly #rates = new RateCounter();
  readonly #now: () => number;
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

  // deno-lint-ignore require-await -- what it throws has to reject
  async send(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): Promise<string[]> {
    checkTexts("send", messages);
    checkSizes(messages);
    for (const message of messages) checkTtl(message, this.#now());
    this.#keys.check(messages);
    this.#rates.count(limits, this.#now());
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
      this.#rows.set(id, {
        envelope: toEnvelope(id, message, this.#now()),
        leasedUntil: null,
        holds,
      });
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
    const now = this.#now();
    const state = this.#state;
    const opensAt = once((queue) => this.queues.opensAt(queue, leasesOf(queue, state), now));
    const waiting = this.#wanted(request)
      .filter((row) => row.leasedUntil === null && isFirst(row, state))
      .map(({ envelope }) => ({
        quarantined: envelope.quarantined,
        startsAt: Math.max(envelope.availableAt.getTime(), opensAt(envelope.queue)),
      }));
    const nextDue = Math.min(...waiting.map(({ startsAt }) => startsAt));
    return Promise.resolve({
      messages: messages.map((envelope) => ({
        ...handedOut(envelope, false),
        ...(this.queues.isRated(envelope.queue) &&
          { startWindowMs: request.startWindowMs ?? START_WINDOW_MS }),
      })),
      crashed: crashed.map((envelope) => handedOut(envelope, true)),
      more,
      lastKeys: {},
      quarantinedDue: waiting.some(({ quarantined, startsAt }) => quarantined && startsAt <= now),
      nextDueMs: messages.length + crashed.length > 0 || nextDue === Infinity
        ? null
        : Math.max(0, nextDue - now),
      leaseMs: Math.min(
        request.leaseMs,
        ...messages.map(({ queue }) => this.queues.get(queue).leaseMs ?? Infinity),
      ),
      lockMs: 0,
    });
  }

  #write(row: Row, { id, outcome }: Settlement): void {
    const { envelope } = row;
    switch (outcome.kind) {
      case "handled":
        this.#rows.delete(id);
        this.progress.delete(id);
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
    this.failed.push({
      envelope: {
        ...envelope,
        stamps: structuredClone(stamps),
        errors: [...envelope.errors, ...structuredClone(errors)],
      },
      reason,
    });
  }
}
