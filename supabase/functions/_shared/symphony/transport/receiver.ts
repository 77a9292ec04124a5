/** The receiving side of a transport: claims, outcomes and leases, as the worker uses them. */

import type { Envelope } from "../message/envelope.ts";
import type { Settlement } from "../message/outcome.ts";
import type { StepKind } from "../message/step-kind.ts";
import type { StepIdentity } from "../message/stored-step.ts";

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
  /**
   * How long the call may wait for a message if none is there, in ms; default: 0. Only a transport that is told of new
   * messages waits; the others return at once.
   */
  readonly waitMs?: number;
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
  /** A message is due that no claim can lease for now, such as by a trigger of the project's own; by default none is. */
  readonly left?: boolean;
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
  /** The error that a dispatch would throw for them. */
  readonly error: unknown;
  /** The outcome itself is refused, such as by a foreign key of the project's own on the row; default: its effects. */
  readonly ofOutcome?: boolean;
}

/** Messages of one lease token. */
export interface Lease {
  readonly token: string;
  readonly ids: readonly string[];
}

/** A step that has run for a while. */
export interface ToldStep extends StepIdentity {
  readonly kind: StepKind;
  /** For how long it has run, in ms. */
  readonly ranMs: number;
}

/** A handler's progress on its message, the step that it runs, or both. */
export interface ProgressReport {
  readonly id: string;
  /** Token of the lease. A report with another token is ignored. */
  readonly leaseToken: string;
  /** The done share, from 0 to 1; by default it stays as it is, and so does the note. */
  readonly value?: number;
  readonly note?: string;
  /** By default it stays as it is. */
  readonly step?: ToldStep;
}

/** The result of a heartbeat. */
export interface HeartbeatResult {
  /** Ids whose lease another claim has. */
  readonly lost: readonly string[];
  /** Ids of cancelled messages: the worker stops them and settles them as dead. */
  readonly cancelled: readonly string[];
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
  /**
   * Number of running messages; their workers stop them at the next heartbeat. Messages that another session has locked
   * count here too: a later claim cancels them.
   */
  readonly running: number;
}

/** Hands out messages, and takes their outcomes: what a worker receives from. Every method throws {@link TransportError}. */
export interface Receiver {
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
  /**
   * Cancels messages. A running message counts as handled if its handlers succeed before they are stopped.
   * @throws RangeError if the filter is empty and does not say `all`, or says both
   */
  cancel(filter: CancelFilter): Promise<CancelResult>;
}
