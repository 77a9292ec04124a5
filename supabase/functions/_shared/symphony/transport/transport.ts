/** The seam between the bus and the store of its messages. Every transport passes one contract suite. */

import type { BatchChunk, BatchResults, WrittenBatch } from "../message/dispatched-batch.ts";
import type { FollowedBatch } from "../message/followed-batch.ts";
import type { Envelope, OutgoingMessage } from "../message/envelope.ts";
import type { Settlement } from "../message/outcome.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { SeriesPoint } from "../message/series-point.ts";
import type { StepIdentity, StepToStore, StoredStep } from "../message/stored-step.ts";
import type { Fault } from "../database/fault.ts";
import type { EventRead, EventReads, TokenUse } from "./event-reads.ts";

/** A claim: how many messages, of which queues, for how long. */
export interface ClaimRequest {
  /** A new UUID for each claim; the fence of its leases. */
  readonly token: string;
  /** Largest number of messages. */
  readonly maxMessages: number;
  /** Largest size of the messages together; one message is returned in any case. Default: 8 MiB. */
  readonly maxBytes?: number;
  /** Length of the leases, in ms. */
  readonly leaseMs: number;
  /** Queues to claim from; default: all. */
  readonly queues?: readonly string[];
  /** `lastKeys` of the claim before: the claim continues behind it, and not at the head of each queue. */
  readonly lastKeys?: LastKeys;
  /** One quarantined message instead of ordinary ones. A quarantined message was in a crash. */
  readonly quarantined?: boolean;
  /** Also returns messages whose lease has ended, as crashed. */
  readonly sweep?: boolean;
  /** The response to the same call was lost: the claim returns the same messages again. */
  readonly repeated?: boolean;
  /** The response cannot be made or read: the claim returns messages as crashed, without their payloads. */
  readonly unread?: boolean;
  /** Free handler slots: the most messages that the claim returns of queues with a rate. */
  readonly slots?: number;
  /** Start window, in ms: messages of queues with a rate start in it, or are given back. */
  readonly startWindowMs?: number;
}

/** Default of {@link ClaimRequest.startWindowMs}. */
export const START_WINDOW_MS = 250;

/** Default of {@link ClaimRequest.maxBytes}. */
export const MAX_CLAIM_BYTES = 8 * 1024 * 1024;

/** The place in each queue where a claim ended. Only the transport reads it. */
export type LastKeys = Readonly<Record<string, unknown>>;

/** The result of a claim. */
export interface Claim {
  /** Messages to run, in claim order: priority, due time, id. */
  readonly messages: readonly Envelope[];
  /** Messages whose worker died, without their payloads. They are retried or dead, but not run. */
  readonly crashed: readonly Envelope[];
  /** Ids of crashed messages that are too large for any worker; default: none. */
  readonly oversized?: readonly string[];
  /** The claim reached `maxBytes`: more messages may be due. */
  readonly more?: boolean;
  /** `lastKeys` for the next claim. */
  readonly lastKeys: LastKeys;
  /** A quarantined message is due. */
  readonly quarantinedDue: boolean;
  /** Ms until the next message is due, if this claim returned none; null if none waits. */
  readonly nextDueMs: number | null;
  /** The shortest lease that the claim may have given, in ms. */
  readonly leaseMs: number;
  /** Lock time: how long the database took to find and lock the messages, in ms. */
  readonly lockMs: number;
  /** The store's clock, in ms since 1970; default: this process's clock. */
  readonly now?: number;
}

/** The result of a settle call. */
export interface SettleResult {
  /** Ids whose outcome was not written: another claim has their lease, or they are deleted or cancelled. */
  readonly stale: readonly string[];
  /** Outcomes that were not written, because their effects are refused; default: none. */
  readonly refused?: readonly RefusedEffects[];
}

/** A message whose effects are refused. It stays leased, and can be settled without them. */
export interface RefusedEffects {
  readonly id: string;
  readonly leaseToken: string;
  /** The error that {@link Transport.send} would throw for them. */
  readonly error: unknown;
}

/** Messages of one lease token. */
export interface Lease {
  readonly token: string;
  readonly ids: readonly string[];
}

/** A handler's progress on its message. */
export interface ProgressReport {
  readonly id: string;
  /** Token of the lease. A report with another token is ignored. */
  readonly leaseToken: string;
  /** The done share, from 0 to 1. */
  readonly value: number;
  readonly note?: string;
}

/** The result of a heartbeat. */
export interface HeartbeatResult {
  /** Ids whose lease another claim has. */
  readonly lost: readonly string[];
  /** Ids of cancelled messages: the worker stops them and settles them as dead. */
  readonly cancelled: readonly string[];
}

/** Asks for the steps of a running message. */
export interface StepsRequest {
  readonly id: string;
  /** Token of the lease. */
  readonly leaseToken: string;
  /** Only this step, with its result however large it is; default: all, without large results. */
  readonly step?: StepIdentity;
}

/** Stored steps. */
export interface LoadedSteps {
  /** The steps of each message by its id, in the order in which they were stored; none if it has none. */
  readonly steps: Readonly<Record<string, readonly StoredStep[]>>;
  /** Identity of the store, from which idempotency keys are made. */
  readonly installation: string;
  /** Ids whose lease another claim has. */
  readonly stale: readonly string[];
}

/** Steps of one running message, to be stored. */
export interface StepsToSave {
  readonly id: string;
  /** Token of the lease. */
  readonly leaseToken: string;
  /** The definition's version, noted with the message's first step. */
  readonly version: number | string | null;
  readonly steps: readonly StepToStore[];
}

/** A SQL function to run for a step of a running message. */
export interface EffectRequest {
  readonly id: string;
  /** Token of the lease. */
  readonly leaseToken: string;
  /** The definition's version, noted with the message's first step. */
  readonly version: number | string | null;
  readonly step: StepIdentity;
  /** Name of a function of the schema public. */
  readonly function: string;
  /** Its arguments by name, as JSON. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** The result of a SQL function, which is stored. */
export interface EffectResult {
  /** As JSON; missing if it returns void. */
  readonly result?: unknown;
  /** Another claim has the lease, and the function was not run. */
  readonly stale?: true;
}

/** Filter of messages to cancel: those that match every given field, or `all`. */
export interface CancelFilter {
  /** Every message. Give either `all` or other fields. */
  readonly all?: boolean;
  readonly ids?: readonly string[];
  readonly type?: string;
  readonly queue?: string;
}

/** The result of a cancel. */
export interface CancelResult {
  /** Number of waiting messages, which are dead letters now. */
  readonly cancelled: number;
  /** Number of running messages; their workers stop them at the next heartbeat. */
  readonly running: number;
}

/** A store of messages. Every method throws {@link TransportError}. */
export interface Transport {
  /**
   * Writes messages, all or none, and returns their ids in order.
   * @param limits rate limits that count them; a refusal writes nothing
   * @throws RateLimitedError if a limit is reached
   * @throws ConflictError if an idempotency key belongs to a message with other content
   * @throws RangeError if a message's ttl ends before it is due
   */
  send(
    messages: readonly OutgoingMessage[],
    limits?: readonly LimitedDispatch[],
  ): Promise<string[]>;
  /**
   * Reserves ids for messages that are written later, with the outcome of another message.
   * @param number most ids to reserve, 1 to 1000
   * @returns one id or more, ascending. None is ever given again
   */
  reserveIds(number: number): Promise<readonly string[]>;
  /** Leases due messages. */
  claim(request: ClaimRequest): Promise<Claim>;
  /** Writes outcomes with their effects, in one transaction. */
  settle(settlements: readonly Settlement[]): Promise<SettleResult>;
  /** Settles and claims in one round trip and one transaction. */
  settleAndClaim(
    settlements: readonly Settlement[],
    request: ClaimRequest,
  ): Promise<SettleResult & Claim>;
  /** Extends leases, and returns lost leases and cancelled messages. */
  extendLeases(leases: readonly Lease[], leaseMs: number): Promise<HeartbeatResult>;
  /** Writes the handlers' reports; only the latest report of a message is kept. */
  reportProgress(reports: readonly ProgressReport[]): Promise<void>;
  /** Reads the stored steps of running messages. A sleep that is over counts as done from then on. */
  loadSteps(requests: readonly StepsRequest[]): Promise<LoadedSteps>;
  /**
   * Stores steps, each under its message's lease, in one transaction. A step that is stored already stays, unless it
   * was pending. With it the message's retries, interruptions and quarantine begin again, and its ttl ends.
   * @param saves each message once
   */
  saveSteps(saves: readonly StepsToSave[]): Promise<SettleResult>;
  /**
   * Runs a SQL function once for a step, and stores its result in the same transaction, under the message's lease. A
   * repeated call returns the stored result.
   * @throws RangeError if there is no such function, or it takes other arguments
   */
  effect(request: EffectRequest): Promise<EffectResult>;
  /**
   * Cancels messages. A running message counts as handled if its handlers succeed before they are stopped.
   * @throws RangeError if the filter is empty and does not say `all`, or says both
   */
  cancel(filter: CancelFilter): Promise<CancelResult>;
  /**
   * Writes one numbered chunk of a batch, and seals the batch with the last one. A chunk that is there is not
   * written again.
   * @param limits rate limits that count the messages of a chunk that is written
   * @throws ConflictError if the batch's key stands for other content, or the batch is cancelled
   * @throws the errors of {@link send}
   */
  writeBatch(chunk: BatchChunk, limits?: readonly LimitedDispatch[]): Promise<WrittenBatch>;
  /**
   * Adds what has become of members to the counts of these batches, and dispatches what is due. Sweeps do the
   * same later.
   */
  foldBatches(ids: readonly string[]): Promise<void>;
  /**
   * Returns the state of a batch; null if it is unknown.
   * @param userId null, or the user who must have dispatched it
   */
  followBatch(id: string, userId?: string | null): Promise<FollowedBatch | null>;
  /**
   * Returns what has become of the members of a batch of one chunk, once it is finished.
   * @throws RangeError if the results have more than 1 MiB together
   */
  batchResults(id: string): Promise<BatchResults>;
  /**
   * Cancels a batch: it takes no further member, those that wait become dead letters, those that run are stopped.
   * @throws NotFoundError if it is unknown
   */
  cancelBatch(id: string): Promise<CancelResult>;
  /**
   * Appends an event, wakes the messages that wait for its key, and returns its id.
   * @param value JSON
   * @param token that the emit uses up
   * @param limits that it counts against, without a token
   * @throws ConflictError if the token was used; RateLimitedError if a limit is reached
   */
  emit(
    ...args: [event: string, value: unknown, token?: TokenUse, limits?: readonly LimitedDispatch[]]
  ): Promise<string>;
  /** Reads the events that running messages wait for and have not seen; at most 100 a message, in order. */
  readEvents(reads: readonly EventRead[]): Promise<EventReads>;
  /** Adds what a worker has counted to the time series. Without it nothing is counted. */
  recordSeries?(points: readonly SeriesPoint[]): Promise<void>;
}

/** The store of messages cannot be reached, or refused a call. */
export class TransportError extends Error {
  override readonly name = "TransportError";

  /** Why the call failed, and what to do. */
  readonly fault: Fault;

  /**
   * @param operation name of the call, such as `claim`
   * @param retryable whether the same call may pass later: a network error, a restart, an overload
   * @param options.fault default: `passing` if `retryable`, and else `data`
   */
  constructor(
    readonly operation: string,
    message: string,
    readonly retryable: boolean,
    options: ErrorOptions & { readonly fault?: Fault } = {},
  ) {
    super(`${operation}: ${message}`, options);
    this.fault = options.fault ?? (retryable ? "passing" : "data");
  }
}
