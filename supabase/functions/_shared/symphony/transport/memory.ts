/** The transport in memory: for tests of handlers, with the same behaviour as the one on Postgres. */

import type { Envelope, OutgoingMessage } from "../envelope.ts";
import type { Dead, Settlement } from "../outcome.ts";
import { type LimitedDispatch, RateCounter } from "../rate-limit.ts";
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
  readonly envelope: Envelope;
  readonly reason: Dead["reason"];
}

interface Row {
  envelope: Envelope;
  /** End of the lease in ms; null while the message waits. */
  leasedUntil: number | null;
  /** It runs, and is not to come again. */
  cancelled?: boolean;
  /** The dedupe key it holds, and whether only until it is claimed. */
  holds: { readonly key: string; readonly untilStarted: boolean } | null;
}

const IDEMPOTENCY_MS = 24 * 60 * 60 * 1000;

/** Keeps messages in this process. They are gone when it ends. */
export class InMemoryTransport implements Transport {
  /** Dead letters, oldest first. */
  readonly failed: DeadLetter[] = [];
  /** Handled messages that are to be remembered, oldest first, and for how many ms. */
  readonly kept: { readonly envelope: Envelope; readonly keepMs: number }[] = [];
  /** What handlers last reported of messages that are here, by id. */
  readonly progress = new Map<string, { readonly value: number; readonly note: string | null }>();
  readonly #rows = new Map<string, Row>();
  readonly #keys = new Map<string, { readonly id: string; readonly expiresAt: number }>();
  readonly #rates = new RateCounter();
  readonly #now: () => number;
  #nextId = 1;

  /** @param options.now the clock, in ms since 1970; `Date.now` where absent */
  constructor(options: { readonly now?: () => number } = {}) {
    this.#now = options.now ?? Date.now;
  }

  /** Messages that wait or run. */
  get messages(): readonly Envelope[] {
    return [...this.#rows.values()].map(({ envelope }) => envelope);
  }

  // deno-lint-ignore require-await -- what it throws has to reject
  async send(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): Promise<string[]> {
    this.#rates.count(limits, this.#now());
    return messages.map((message) => {
      const timed = timedKey(message);
      const known = timed && this.#keys.get(timed.key);
      if (known && known.expiresAt > this.#now()) return known.id;
      const holds = heldKey(message);
      const holder = this.#rows.values().find((row) => holds && row.holds?.key === holds.key);
      if (holder) return holder.envelope.id;

      const id = String(this.#nextId++);
      if (timed) this.#keys.set(timed.key, { id, expiresAt: this.#now() + timed.ms });
      this.#rows.set(id, { envelope: this.#envelope(id, message), leasedUntil: null, holds });
      return id;
    });
  }

  claim(request: ClaimRequest): Promise<Claim> {
    const now = this.#now();
    const { token, runAlone = false } = request;
    const crashedToken = `${token} crashed`;
    if (request.repeated) {
      const again = [...this.#rows.values()].filter(({ cancelled }) => !cancelled)
        .map(({ envelope }) => envelope);
      const messages = again.filter(({ leaseToken }) => leaseToken === token);
      const crashed = again.filter(({ leaseToken }) => leaseToken === crashedToken);
      if (messages.length + crashed.length > 0) return this.#answer(messages, crashed, request);
    }
    const wanted = this.#wanted(request);
    const crashed = wanted.filter((row) =>
      request.sweep !== false && row.leasedUntil !== null && row.leasedUntil <= now
    );
    const due = wanted.filter(({ envelope, leasedUntil }) =>
      leasedUntil === null && envelope.alone === runAlone && envelope.availableAt.getTime() <= now
    ).sort(inClaimOrder).slice(0, runAlone ? 1 : request.maxMessages);
    const lease = (row: Row, leaseToken: string, attempts: number) => {
      row.leasedUntil = now + request.leaseMs;
      if (row.holds?.untilStarted) row.holds = null;
      const { expiresAt } = row.envelope;
      const expired = expiresAt !== null && expiresAt.getTime() <= now;
      return row.envelope = { ...row.envelope, leaseToken, attempts, expired };
    };
    return this.#answer(
      due.map((row) => lease(row, token, row.envelope.attempts + 1)),
      crashed.map((row) => lease(row, crashedToken, row.envelope.attempts)),
      request,
    );
  }

  settle(settlements: readonly Settlement[]): Promise<SettleResult> {
    const stale = settlements.filter((settlement) => {
      const row = this.#leased(settlement.id, settlement.leaseToken);
      if (!row) return true;
      const cancelled = row.cancelled ? cancelledInstead(settlement.outcome) : null;
      if (cancelled) this.#bury(row, cancelled);
      else this.#write(row, settlement);
      return cancelled !== null;
    });
    return Promise.resolve({ stale: stale.map(({ id }) => id) });
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
        if (row) row.leasedUntil = this.#now() + leaseMs;
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

  cancel({ ids, type, queue }: CancelFilter): Promise<CancelResult> {
    if (!ids && type === undefined && queue === undefined) {
      const message = "filter: give at least one of ids, type, queue";
      return Promise.reject(new RangeError(message));
    }
    const now = this.#now();
    const result = { cancelled: 0, running: 0 };
    for (const row of this.#rows.values()) {
      const { envelope, leasedUntil } = row;
      const meant = !row.cancelled && (!ids || ids.includes(envelope.id)) &&
        (type === undefined || type === envelope.type) &&
        (queue === undefined || queue === envelope.queue);
      if (!meant) continue;
      if (leasedUntil !== null && leasedUntil > now) {
        row.cancelled = true;
        result.running++;
      } else {
        this.#bury(row, { kind: "dead", reason: "cancelled", errors: [] });
        result.cancelled++;
      }
    }
    return Promise.resolve(result);
  }

  #leased(id: string, token: string): Row | undefined {
    const row = this.#rows.get(id);
    return row && row.leasedUntil !== null && row.envelope.leaseToken === token ? row : undefined;
  }

  #wanted({ queues }: ClaimRequest): Row[] {
    return [...this.#rows.values()].filter(({ envelope }) =>
      !queues || queues.includes(envelope.queue)
    );
  }

  #answer(messages: Envelope[], crashed: Envelope[], request: ClaimRequest): Promise<Claim> {
    const now = this.#now();
    const waiting = this.#wanted(request).filter(({ leasedUntil }) => leasedUntil === null)
      .map(({ envelope }) => envelope);
    const nextDue = Math.min(...waiting.map(({ availableAt }) => availableAt.getTime()));
    return Promise.resolve({
      messages,
      crashed,
      lastKeys: {},
      aloneDue: waiting.some(({ alone, availableAt }) => alone && availableAt.getTime() <= now),
      nextDueMs: messages.length + crashed.length > 0 || nextDue === Infinity
        ? null
        : Math.max(0, nextDue - now),
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
      case "released":
        row.leasedUntil = null;
        row.envelope = { ...envelope, attempts: envelope.attempts - 1, leaseToken: "" };
        break;
      case "snoozed":
        row.leasedUntil = null;
        row.envelope = {
          ...envelope,
          availableAt: new Date(this.#now() + outcome.delayMs),
          attempts: envelope.attempts - 1,
          stamps: outcome.stamps ?? envelope.stamps,
          leaseToken: "",
        };
        break;
      case "retry":
        row.leasedUntil = null;
        row.envelope = {
          ...envelope,
          availableAt: new Date(this.#now() + outcome.delayMs),
          retryCount: outcome.retryCount,
          alone: envelope.alone || (outcome.alone ?? false),
          stamps: outcome.stamps ?? envelope.stamps,
          errors: [...envelope.errors, ...outcome.errors],
          leaseToken: "",
        };
        break;
      case "dead":
        this.#bury(row, outcome);
    }
  }

  #bury({ envelope }: Row, { reason, stamps = envelope.stamps, errors }: Dead): void {
    this.#rows.delete(envelope.id);
    this.failed.push({
      envelope: { ...envelope, stamps, errors: [...envelope.errors, ...errors] },
      reason,
    });
  }

  #envelope(id: string, message: OutgoingMessage): Envelope {
    const now = this.#now();
    return {
      id,
      type: message.type,
      payload: structuredClone(message.payload),
      queue: message.queue ?? "default",
      priority: message.priority ?? 0,
      availableAt: message.availableAt ?? new Date(now + (message.delayMs ?? 0)),
      createdAt: new Date(now),
      expiresAt: message.ttlMs === undefined ? null : new Date(now + message.ttlMs),
      expired: false,
      retryCount: 0,
      attempts: 0,
      groupKey: message.groupKey ?? null,
      stamps: message.stamps ?? {},
      errors: [],
      alone: false,
      leaseToken: "",
    };
  }
}

/** The key that is held for a time, whatever becomes of the message. */
function timedKey(message: OutgoingMessage): { key: string; ms: number } | null {
  const { type, idempotencyKey, idempotencyScope = "", dedupeKey, dedupe } = message;
  if (dedupeKey !== undefined && typeof dedupe === "object") {
    return { key: JSON.stringify([`dedupe:${type}`, dedupeKey]), ms: dedupe.windowMs };
  }
  if (idempotencyKey === undefined) return null;
  return { key: JSON.stringify([idempotencyScope, idempotencyKey]), ms: IDEMPOTENCY_MS };
}

/** The key that is held as long as the message, or until it is claimed. */
function heldKey({ type, dedupeKey, dedupe }: OutgoingMessage): Row["holds"] {
  if (dedupeKey === undefined || typeof dedupe === "object") return null;
  return { key: JSON.stringify([type, dedupeKey]), untilStarted: dedupe === "until-started" };
}

/** What becomes of a cancelled message that was to come again; null where it was not. */
function cancelledInstead(outcome: Settlement["outcome"]): Dead | null {
  if (outcome.kind === "handled" || outcome.kind === "dead") return null;
  const { stamps, errors = [] }: Partial<Dead> = { ...outcome, kind: "dead" };
  return { kind: "dead", reason: "cancelled", errors, ...(stamps && { stamps }) };
}

function inClaimOrder({ envelope: a }: Row, { envelope: b }: Row): number {
  return b.priority - a.priority || a.availableAt.getTime() - b.availableAt.getTime() ||
    Number(a.id) - Number(b.id);
}
