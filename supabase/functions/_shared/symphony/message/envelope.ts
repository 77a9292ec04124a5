/** The envelope: a message on its way, with what the bus has to know and remember about it. */

import type { HeldFor } from "./dedupe.ts";

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
  /** The nominal time of the occurrence, ISO 8601: neither the jittered nor the actual one. */
  readonly occurrence: string;
  /** Number of the run; the first is 1. */
  readonly run: number;
}

/** The user who dispatched a message over HTTPS, as the JWT names them; never the body. */
export interface UserStamp {
  /** The JWT's `sub`. */
  readonly id: string;
  /** Whether the user signed in anonymously. */
  readonly isAnonymous: boolean;
}

/** What travels with a message besides its payload. */
export interface Stamps {
  /** Names of the handlers that have succeeded; a retry skips them. */
  readonly handledBy?: readonly string[];
  /** How often the message was redriven from the dead letters. */
  readonly redriven?: number;
  /** The occurrence the message was made for. */
  readonly schedule?: ScheduleStamp;
  /** Who dispatched it. */
  readonly user?: UserStamp;
  /** How often in a row its type was unknown to the worker, and at which attempt last. */
  readonly unknownType?: { readonly times: number; readonly attempt: number };
  /** Stamps of the user's own middleware. */
  readonly [name: string]: unknown;
}

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
  /** After this moment the message is not run any more. */
  readonly expiresAt: Date | null;
  /** Whether that moment had come when it was claimed, by the database's clock. */
  readonly expired: boolean;
  /** Retries charged to the strategy so far: 0 before the first retry. */
  readonly retryCount: number;
  /** How often it has been claimed, this time included. */
  readonly attempts: number;
  readonly groupKey: string | null;
  readonly stamps: Stamps;
  /** The message was in a crash: it runs with no other message beside it. */
  readonly quarantined: boolean;
  /** How often its handlers have asked for it later; 0 where absent. */
  readonly snoozes?: number;
  /** How often in a row its worker ended before its handlers did; 0 by default. */
  readonly interruptions?: number;
  /** Fence of the lease: a settle call under another token changes nothing. */
  readonly leaseToken: string;
  /** Start window, in ms from the claim request: a message of a queue with a rate starts in it, or is given back. */
  readonly startWindowMs?: number | null;
  /** Bytes that it takes, more or less: what a worker holds is bounded by them. */
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
  /** Ms from now after which the message is not run any more. */
  readonly ttlMs?: number;
  /** A repeat within 24 hours answers the first message's id. */
  readonly idempotencyKey?: string;
  /** Whose key it is: a user's id; empty for holders of a secret key. */
  readonly idempotencyScope?: string;
  /** While it is held, a dispatch of the type with this key answers this message's id. */
  readonly dedupeKey?: string;
  /** How long the key is held; until the message is handled or dead where absent. */
  readonly dedupe?: HeldFor;
  readonly groupKey?: string;
  readonly stamps?: Stamps;
}
