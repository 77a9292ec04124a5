/** The envelope: a message with the facts that the bus and the worker need and remember about it. */

import type { BatchEventStamp, BatchStamp } from "./batch-stamps.ts";
import type { DeadReason } from "./dead-reason.ts";
import type { HeldFor } from "./dedupe.ts";
import type { TraceStamp } from "../tracing/trace-stamp.ts";

/** One failed attempt, as it is kept in a message's history. */
export interface AttemptError {
  /** The error's text, cut to a bound. */
  readonly message: string;
  /** The error's class, such as `TypeError`. */
  readonly class: string;
  /** A code the error carried: an HTTP status, an SQLSTATE, a Node code. */
  readonly code?: string;
  /** The error's stack, cut to a bound. */
  readonly stack?: string;
  /** Which attempt failed; the first is 1. */
  readonly attempt: number;
  /** Name of the handler that failed, where the message has several. */
  readonly handler?: string;
  /** Name of the durable step that failed, if it was one. */
  readonly step?: string;
  /** When it failed, ISO 8601. */
  readonly at: string;
  /** How long the attempt ran, in ms. */
  readonly durationMs: number;
}

/** The occurrence of a schedule that a message was made for. */
export interface ScheduleStamp {
  /** Id of the schedule. */
  readonly id: string;
  /** Its name, if it has one. */
  readonly name: string | null;
  /** The planned time of the occurrence, ISO 8601, without jitter and lateness. */
  readonly occurrence: string;
  /** Number of the run; the first is 1. */
  readonly run: number;
}

/** The user who dispatched a message over HTTPS. It comes from the JWT, never from the body. */
export interface UserStamp {
  /** The JWT's `sub`. */
  readonly id: string;
  /** Whether the user signed in anonymously. */
  readonly isAnonymous: boolean;
}

/** Facts that travel with a message beside its payload. */
export interface Stamps {
  /** Names of the handlers that have succeeded; a retry skips them. */
  readonly handledBy?: readonly string[];
  /** How often the message was redriven from the dead letters. */
  readonly redriven?: number;
  /**
   * The latest redrive from the start, or with `from` and another payload, counted as `redriven` is: batches of steps
   * that are not stored get further keys by it.
   */
  readonly redrivenFrom?: number;
  /** The occurrence the message was made for. */
  readonly schedule?: ScheduleStamp;
  /** The user who dispatched it. */
  readonly user?: UserStamp;
  /** How often in a row no worker knew the message's type, and the attempt of the last such time. */
  readonly unknownType?: { readonly times: number; readonly attempt: number };
  /** It has durable steps; `version` is the definition's at the first of them. */
  readonly durable?: {
    readonly version: number | string | null;
    /** Ids of messages that parked runs have dispatched, by handler and type. */
    readonly dispatched?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  };
  /** The batch that it is a member of. */
  readonly batch?: BatchStamp;
  /** The batch that dispatched it at an event, with the counts at that moment. */
  readonly ofBatch?: BatchEventStamp;
  /** The message that is dispatched in the transaction that cancels this one. */
  readonly onCancelled?: unknown;
  /** It has ended so, and its row could not be deleted: only the deletion is tried again. */
  readonly ended?: "handled" | DeadReason;
  /** Where it was dispatched, for tracing. */
  readonly traceContext?: TraceStamp;
  /** Stamps of the user's own middleware. */
  readonly [name: string]: unknown;
}

/** Stamps of the bus, which mean something only in the installation that wrote them. */
export const BUS_STAMPS: ReadonlySet<string> = new Set([
  ...["handledBy", "redriven", "redrivenFrom", "schedule", "user", "unknownType", "durable"],
  ...["batch", "ofBatch", "onCancelled", "live", "ended"],
]);

/** A claimed message: leased to this worker until it is settled. */
export interface Envelope<Payload = unknown> {
  readonly id: string;
  readonly type: string;
  readonly payload: Payload;
  readonly queue: string;
  /** Higher goes first within the queue. */
  readonly priority: number;
  readonly availableAt: Date;
  readonly createdAt: Date;
  /** The end of the time to live; null if it has none. */
  readonly expiresAt: Date | null;
  /** Whether the message had expired when it was claimed, by the database's clock. */
  readonly expired: boolean;
  /** Retries so far that count against `maxRetries`; 0 before the first retry. */
  readonly retryCount: number;
  /** How often the message has been claimed, this claim included. */
  readonly attempts: number;
  readonly groupKey: string | null;
  readonly stamps: Stamps;
  /** The message was in a crash and is quarantined: it runs with no other beside it. */
  readonly quarantined: boolean;
  /** How often its handlers have snoozed it; default: 0. */
  readonly snoozes?: number;
  /** How often in a row its worker ended before its handlers did; default: 0. */
  readonly interruptions?: number;
  /** Fence of the lease: a settle call with another token changes nothing. */
  readonly leaseToken: string;
  /** Start window of a queue with a rate: ms from the claim request to the start, or the message is given back. */
  readonly startWindowMs?: number | null;
  /** When it was due, on the clock of performance.now(), in whole ms; for the time series. */
  readonly dueAtMs?: number;
  /** Approximate size in memory, which bounds how much a worker holds. */
  readonly bytes?: number;
}

/** A message to be dispatched, as a transport takes it. */
export interface OutgoingMessage {
  readonly type: string;
  readonly payload: unknown;
  readonly queue?: string;
  readonly priority?: number;
  /** Ms from now until the message is due. */
  readonly delayMs?: number;
  readonly availableAt?: Date;
  /** Time to live, in ms from now. */
  readonly ttlMs?: number;
  /** A dispatch that repeats the key within 24 hours returns the first message's id. */
  readonly idempotencyKey?: string;
  /** Owner of the key: a user's id; empty for holders of a secret key. */
  readonly idempotencyScope?: string;
  /** While the key is held, a dispatch of the same type and key returns this message's id. */
  readonly dedupeKey?: string;
  /** How long the key is held; default: until the message is handled or dead. */
  readonly dedupe?: HeldFor;
  readonly groupKey?: string;
  /** Name of the transport; default: home, the project's Postgres. */
  readonly transport?: string;
  readonly stamps?: Stamps;
}
