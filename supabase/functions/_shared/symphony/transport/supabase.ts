/** The transport over Supabase: each method is one call of an SQL function. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { OutgoingMessage } from "../message/envelope.ts";
import { ConflictError } from "../message/errors.ts";
import { readProperty } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { Settlement } from "../message/outcome.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { checkCancel, takeSteps } from "../database/steps.ts";
import { type MessageRow, toDate, toEnvelope } from "../database/claimed-messages.ts";
import { callRpc } from "../database/rpc.ts";
import {
  type CancelFilter,
  type CancelResult,
  type Claim,
  type ClaimRequest,
  type HeartbeatResult,
  type LastKeys,
  type Lease,
  MAX_CLAIM_BYTES,
  type ProgressReport,
  type SettleResult,
  START_WINDOW_MS,
  type Transport,
} from "./transport.ts";

interface Enqueued {
  ids: string[];
}

interface ClaimAnswer {
  messages: MessageRow[];
  crashed: MessageRow[];
  oversized: string[];
  bytes: number;
  more: boolean;
  token: string;
  crashed_token: string;
  last_keys: LastKeys;
  quarantined_due: boolean;
  now: string;
  next_due_at: string | null;
  lease_ms: number;
  lock_ms: number;
  rated: string[];
}

/** Keeps messages in Postgres, reached over supabase-js with a secret key. */
export class SupabaseTransport implements Transport {
  readonly #client: SupabaseClient;
  readonly #timeoutMs: number;

  /**
   * @param client made with a secret key: only the service role may call the functions
   * @param options.timeoutMs longest time of one call; default: 10 s
   */
  constructor(client: SupabaseClient, options: { readonly timeoutMs?: number } = {}) {
    checkNames(options, ["timeoutMs"]);
    this.#client = client;
    this.#timeoutMs = options.timeoutMs ?? 10_000;
  }

  async send(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): Promise<string[]> {
    const rows = messages.map(messageRow);
    try {
      if (limits.length > 0) {
        const { ids } = await this.#call<Enqueued>("messenger_enqueue_limited", {
          messages: rows,
          limits: limits.map(fromLimit),
        });
        return ids;
      }
      const json = JSON.stringify(rows);
      const [{ ids }] = await this.#call<[Enqueued]>("messenger_enqueue_body", json);
      return ids;
    } catch (error) {
      throw error instanceof ConflictError ? keyConflict(error) : error;
    }
  }

  async claim(request: ClaimRequest): Promise<Claim> {
    const answer = await this.#call<ClaimAnswer>("messenger_claim", claimArguments(request));
    return toClaim(answer, request);
  }

  settle(settlements: readonly Settlement[]): Promise<SettleResult> {
    return this.#call<SettleResult>("messenger_settle", { settlements: byToken(settlements) });
  }

  async settleAndClaim(
    settlements: readonly Settlement[],
    request: ClaimRequest,
  ): Promise<SettleResult & Claim> {
    const [{ stale, claim }] = await this.#call<[SettleResult & { claim: ClaimAnswer }]>(
      "messenger_settle_and_claim",
      { settlements: byToken(settlements), ...claimArguments(request) },
    );
    return { stale, ...toClaim(claim, request) };
  }

  extendLeases(leases: readonly Lease[], leaseMs: number): Promise<HeartbeatResult> {
    return this.#call("messenger_heartbeat", { leases, lease_ms: leaseMs });
  }

  reportProgress(reports: readonly ProgressReport[]): Promise<void> {
    return this.#call("messenger_report_progress", {
      reports: reports.map(({ leaseToken, ...report }) => ({ ...report, token: leaseToken })),
    });
  }

  async cancel(filter: CancelFilter): Promise<CancelResult> {
    checkCancel(filter);
    const { done, running } = await takeSteps(this.#client, "messenger_cancel", { ...filter });
    return { cancelled: done, running };
  }

  #call<Answer>(name: string, args: Record<string, unknown> | string): Promise<Answer> {
    return callRpc<Answer>(this.#client, name, args, this.#timeoutMs);
  }
}

/** Reads a conflict of messenger_enqueue; its detail is the position of the message. */
function keyConflict(error: ConflictError): ConflictError {
  const message = error.message.replace(/^idempotency_key/, "idempotencyKey");
  return new ConflictError(message, { cause: error }, Number(readProperty(error.cause, "details")));
}

/** An entry of messenger.count_dispatches. */
export function fromLimit({ perMs, ...limit }: LimitedDispatch) {
  return { ...limit, per_ms: perMs };
}

/**
 * Makes an entry of messenger_enqueue. Values that equal a column's default are left out, which halves the
 * JSON that Postgres has to read.
 */
export function messageRow(message: OutgoingMessage) {
  return {
    type: message.type,
    payload: message.payload,
    queue: message.queue === "default" ? undefined : message.queue,
    priority: message.priority || undefined,
    delay_ms: message.delayMs,
    available_at: message.availableAt,
    ttl_ms: message.ttlMs,
    idempotency_key: message.idempotencyKey,
    idempotency_scope: message.idempotencyScope,
    group_key: message.groupKey,
    dedupe_key: message.dedupeKey,
    ...(typeof message.dedupe === "object"
      ? { dedupe_window_ms: message.dedupe.windowMs }
      : { dedupe: message.dedupe }),
    stamps: message.stamps,
  };
}

function claimArguments(request: ClaimRequest) {
  return {
    token: request.token,
    max_messages: request.maxMessages,
    lease_ms: request.leaseMs,
    queues: request.queues ?? null,
    last_keys: request.lastKeys ?? null,
    run_alone: request.quarantined ?? false,
    sweep: request.sweep ?? true,
    repeated: request.repeated ?? false,
    slots: request.slots ?? null,
    start_within_ms: request.startWindowMs ?? START_WINDOW_MS,
    max_bytes: request.maxBytes ?? MAX_CLAIM_BYTES,
    unread: request.unread ?? false,
  };
}

function toClaim(answer: ClaimAnswer, request: ClaimRequest): Claim {
  const startWindowMs = request.startWindowMs ?? START_WINDOW_MS;
  const bytes = answer.bytes / answer.messages.length;
  const messages = answer.messages.map((row) => toEnvelope(row, answer.token, bytes));
  return {
    messages: answer.rated.length === 0
      ? messages
      : messages.map((envelope) =>
        answer.rated.includes(envelope.queue) ? { ...envelope, startWindowMs } : envelope
      ),
    crashed: answer.crashed.map((row) => toEnvelope(row, answer.crashed_token, 0)),
    oversized: answer.oversized,
    more: answer.more,
    lastKeys: answer.last_keys,
    quarantinedDue: answer.quarantined_due,
    nextDueMs: answer.next_due_at === null
      ? null
      : Math.max(0, toDate(answer.next_due_at).getTime() - Date.parse(answer.now)),
    leaseMs: answer.lease_ms,
    lockMs: answer.lock_ms,
  };
}

interface TokenSettlements {
  token: string;
  grouped?: true;
  groups?: (readonly [queue: string, key: string])[];
  handled?: string[];
  kept?: unknown[];
  progressed?: string[];
  released?: string[];
  snoozed?: unknown[];
  retries?: unknown[];
  dead?: unknown[];
}

function byToken(settlements: readonly Settlement[]): TokenSettlements[] {
  const tokens = new Map<string, TokenSettlements>();
  const isGiven = settlements.every(({ grouped, group }) => !grouped || group !== undefined);
  for (const { id, leaseToken, grouped, group, outcome } of settlements) {
    let entry = tokens.get(leaseToken);
    if (!entry) tokens.set(leaseToken, entry = { token: leaseToken });
    if (grouped) entry.grouped = true;
    if (grouped && isGiven && group) (entry.groups ??= []).push(group);
    switch (outcome.kind) {
      case "handled":
        (entry.handled ??= []).push(id);
        if (outcome.keepMs !== undefined) (entry.kept ??= []).push({ id, keep_ms: outcome.keepMs });
        if (outcome.progressed) (entry.progressed ??= []).push(id);
        break;
      case "released":
        (entry.released ??= []).push(id);
        break;
      case "snoozed":
        (entry.snoozed ??= []).push({ id, delay_ms: outcome.delayMs, stamps: outcome.stamps });
        break;
      case "retry":
        (entry.retries ??= []).push({
          id,
          delay_ms: outcome.delayMs,
          retry_count: outcome.retryCount,
          quarantined: outcome.quarantined,
          interrupted: outcome.interrupted,
          stamps: outcome.stamps,
          errors: outcome.errors,
        });
        break;
      case "dead":
        (entry.dead ??= []).push({
          id,
          reason: outcome.reason,
          stamps: outcome.stamps,
          errors: outcome.errors,
        });
    }
  }
  return [...tokens.values()];
}
