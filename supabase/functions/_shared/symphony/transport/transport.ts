/** The seam between the bus and where messages are kept. Both transports pass one contract suite. */

import type { Envelope, OutgoingMessage } from "../message/envelope.ts";
import type { Settlement } from "../message/outcome.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { Fault } from "../database/fault.ts";

/** What a worker asks for in a claim. */
export interface ClaimRequest {
  /** A fresh UUID for each claim; the fence of the leases it gives. */
  readonly token: string;
  /** At most so many messages. */
  readonly maxMessages: number;
  /** Messages of at most so many bytes together, but one in any case; 8 MiB where absent. */
  readonly maxBytes?: number;
  /** How long the leases last, in ms. */
  readonly leaseMs: number;
  /** Only these queues; all where absent. */
  readonly queues?: readonly string[];
  /** `lastKeys` of the claim before: go on behind it instead of at the head of each queue. */
  readonly lastKeys?: LastKeys;
  /** One quarantined message instead of ordinary ones. A quarantined message was in a crash. */
  readonly quarantined?: boolean;
  /** Also hand out messages whose lease ran out, as crashed. */
  readonly sweep?: boolean;
  /** The answer to this very call was lost: give the same messages again. */
  readonly repeated?: boolean;
  /** The answer cannot be made or read: hand messages out as crashed, without reading their payloads. */
  readonly unread?: boolean;
  /** Handlers that may start at once: of queues with a rate, at most so many messages are given. */
  readonly slots?: number;
  /** Start window, in ms: messages of queues with a rate start in it, or are given back. */
  readonly startWindowMs?: number;
}

/** Default of {@link ClaimRequest.startWindowMs}. */
export const START_WINDOW_MS = 250;

/** {@link ClaimRequest.maxBytes} where it is absent. */
export const MAX_CLAIM_BYTES = 8 * 1024 * 1024;

/** Where a claim ended in each queue; made and read by the transport only. */
export type LastKeys = Readonly<Record<string, unknown>>;

/** What a claim gives. */
export interface Claim {
  /** Messages to run, in claim order: priority, due time, id. */
  readonly messages: readonly Envelope[];
  /** Messages whose worker died, without their payloads: to be judged, not run. */
  readonly crashed: readonly Envelope[];
  /** Ids of those among them that are larger than any worker can take; none where absent. */
  readonly oversized?: readonly string[];
  /** Its bytes were used up: there may be more to claim. */
  readonly more?: boolean;
  /** To be passed to the next claim. */
  readonly lastKeys: LastKeys;
  /** A quarantined message is due. */
  readonly quarantinedDue: boolean;
  /** Ms until the next message falls due, where this claim gave none; null where none waits. */
  readonly nextDueMs: number | null;
  /** The shortest lease among those that the claim may have given, in ms. */
  readonly leaseMs: number;
  /** Lock time: how long the database took to find and lock the messages, in ms. */
  readonly lockMs: number;
}

/** What a settle call answers. */
export interface SettleResult {
  /** Ids whose outcome was not written: their lease is another's, they are gone, or cancelled. */
  readonly stale: readonly string[];
}

/** Messages of one lease token. */
export interface Lease {
  readonly token: string;
  readonly ids: readonly string[];
}

/** What a handler reports of the message it runs. */
export interface ProgressReport {
  readonly id: string;
  /** Under another token than the lease's it is left out. */
  readonly leaseToken: string;
  /** How much is done, from 0 to 1. */
  readonly value: number;
  readonly note?: string;
}

/** What became of leases that were to be extended. */
export interface HeartbeatResult {
  /** Ids whose lease is another's by now. */
  readonly lost: readonly string[];
  /** Ids of messages that were cancelled: to be stopped, and settled as dead. */
  readonly cancelled: readonly string[];
}

/** Which messages to cancel: those that all of the given fields mean, or all where it says so. */
export interface CancelFilter {
  /** Every message; goes with no other field. */
  readonly all?: boolean;
  readonly ids?: readonly string[];
  readonly type?: string;
  readonly queue?: string;
}

/** What cancelling did. */
export interface CancelResult {
  /** How many waited, and are dead letters now. */
  readonly cancelled: number;
  /** How many run, and are stopped at their worker's next heartbeat. */
  readonly running: number;
}

/** Where messages are kept, claimed and settled. Every method throws {@link TransportError}. */
export interface Transport {
  /**
   * Writes messages, all or none, and answers their ids in order.
   * @param limits rate limits that count them; a refusal writes nothing
   * @throws RateLimitedError if one of these is reached
   * @throws ConflictError if an idempotency key stands for a message with other content
   * @throws RangeError if a message's ttl ends before it is due
   */
  send(
    messages: readonly OutgoingMessage[],
    limits?: readonly LimitedDispatch[],
  ): Promise<string[]>;
  /** Leases due messages. */
  claim(request: ClaimRequest): Promise<Claim>;
  /** Writes what became of messages, in one transaction. */
  settle(settlements: readonly Settlement[]): Promise<SettleResult>;
  /** Both in one round trip and one transaction. */
  settleAndClaim(
    settlements: readonly Settlement[],
    request: ClaimRequest,
  ): Promise<SettleResult & Claim>;
  /** Extends leases, and tells which are lost and which messages are cancelled. */
  extendLeases(leases: readonly Lease[], leaseMs: number): Promise<HeartbeatResult>;
  /** Writes what handlers report; only the latest of a message is kept. */
  reportProgress(reports: readonly ProgressReport[]): Promise<void>;
  /**
   * Cancels messages. One that runs counts as handled if its handlers succeed before they are told.
   * @throws RangeError if the filter is empty and does not say `all`, or says both
   */
  cancel(filter: CancelFilter): Promise<CancelResult>;
}

/** The place where messages are kept did not answer, or refused. */
export class TransportError extends Error {
  override readonly name = "TransportError";

  /** Why the call failed, and what to do. */
  readonly fault: Fault;

  /**
   * @param operation what was asked for, such as `claim`
   * @param retryable whether asking again may help: a network error, a restart, an overload
   * @param options.fault `passing` where asking again may help and `data` where not, if it is absent
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
