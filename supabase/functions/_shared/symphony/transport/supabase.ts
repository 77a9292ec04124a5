/** The transport over Supabase: each method is one call of an SQL function. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { callEffect, loadSteps, saveSteps } from "../database/durable-steps.ts";
import {
  batchResults,
  cancelBatch,
  foldBatches,
  followBatch,
  writeBatch,
} from "../database/batch-calls.ts";
import { enqueueMessages, reserveIds } from "../database/enqueue.ts";
import { emitEvent, readEvents } from "../database/event-calls.ts";
import {
  claimMessages,
  extendLeases,
  reportProgress,
  settleAndClaimMessages,
  settleMessages,
} from "../database/leased-messages.ts";
import { recordSeries } from "../database/series-calls.ts";
import { checkCancel } from "../database/filters.ts";
import { cancelMessages } from "../database/waiting-messages.ts";
import type { BatchChunk, BatchResults, WrittenBatch } from "../message/dispatched-batch.ts";
import type { FollowedBatch } from "../message/followed-batch.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import type { Settlement } from "../message/outcome.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { SeriesPoint } from "../message/series-point.ts";
import { checkNames } from "../runtime/option-names.ts";
import { HOME_CAPABILITIES } from "./capabilities.ts";
import type { EventRead, EventReads } from "./event-reads.ts";
import type {
  EffectRequest,
  EffectResult,
  LoadedSteps,
  StepsRequest,
  StepsToSave,
} from "./durable-store.ts";
import type {
  CancelFilter,
  CancelResult,
  Claim,
  ClaimRequest,
  HeartbeatResult,
  Lease,
  ProgressReport,
  SettleResult,
} from "./receiver.ts";
import type { Transport } from "./transport.ts";

/** Keeps messages in Postgres, reached over supabase-js with a secret key. */
export class SupabaseTransport implements Transport {
  readonly capabilities = HOME_CAPABILITIES;
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

  send(
    messages: readonly OutgoingMessage[],
    limits: readonly LimitedDispatch[] = [],
  ): Promise<string[]> {
    return enqueueMessages(this.#client, messages, limits, this.#timeoutMs);
  }

  reserveIds(number: number): Promise<readonly string[]> {
    return reserveIds(this.#client, number, this.#timeoutMs);
  }

  claim(request: ClaimRequest): Promise<Claim> {
    return claimMessages(this.#client, request, this.#timeoutMs);
  }

  settle(settlements: readonly Settlement[]): Promise<SettleResult> {
    return settleMessages(this.#client, settlements, this.#timeoutMs);
  }

  settleAndClaim(
    settlements: readonly Settlement[],
    request: ClaimRequest,
  ): Promise<SettleResult & Claim> {
    return settleAndClaimMessages(this.#client, settlements, request, this.#timeoutMs);
  }

  extendLeases(leases: readonly Lease[], leaseMs: number): Promise<HeartbeatResult> {
    return extendLeases(this.#client, leases, leaseMs, this.#timeoutMs);
  }

  reportProgress(reports: readonly ProgressReport[]): Promise<void> {
    return reportProgress(this.#client, reports, this.#timeoutMs);
  }

  loadSteps(requests: readonly StepsRequest[]): Promise<LoadedSteps> {
    return loadSteps(this.#client, requests, this.#timeoutMs);
  }

  effect(request: EffectRequest): Promise<EffectResult> {
    return callEffect(this.#client, request, this.#timeoutMs);
  }

  saveSteps(saves: readonly StepsToSave[]): Promise<SettleResult> {
    return saveSteps(this.#client, saves, this.#timeoutMs);
  }

  async cancel(filter: CancelFilter): Promise<CancelResult> {
    checkCancel(filter);
    const { done, running } = await cancelMessages(this.#client, filter);
    return { cancelled: done, running };
  }

  writeBatch(chunk: BatchChunk, limits: readonly LimitedDispatch[] = []): Promise<WrittenBatch> {
    return writeBatch(this.#client, chunk, limits, this.#timeoutMs);
  }

  foldBatches(ids: readonly string[]): Promise<void> {
    return foldBatches(this.#client, ids, this.#timeoutMs);
  }

  followBatch(id: string, userId: string | null = null): Promise<FollowedBatch | null> {
    return followBatch(this.#client, id, userId);
  }

  batchResults(id: string): Promise<BatchResults> {
    return batchResults(this.#client, id, this.#timeoutMs);
  }

  async cancelBatch(id: string): Promise<CancelResult> {
    const { done, running } = await cancelBatch(this.#client, { id });
    return { cancelled: done, running };
  }

  emit(...[event, value, token, limits]: Parameters<Transport["emit"]>): Promise<string> {
    return emitEvent(this.#client, { event, value, token, limits }, this.#timeoutMs);
  }

  readEvents(reads: readonly EventRead[]): Promise<EventReads> {
    return readEvents(this.#client, reads, this.#timeoutMs);
  }

  recordSeries(points: readonly SeriesPoint[]): Promise<void> {
    return recordSeries(this.#client, points, this.#timeoutMs);
  }

  /** Does nothing: calls over HTTP keep no connection of their own. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
