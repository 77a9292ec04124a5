/**
 * What can become of a claimed message. The vocabulary is closed: handled, retry or dead. A message
 * that is given back, unstarted or because its handler snoozed, has no outcome yet.
 */

import type { AttemptError, Envelope, Stamps } from "./envelope.ts";

/** Why a message was given up. */
export type DeadReason =
  | "exhausted"
  | "unrecoverable"
  | "crashed"
  | "invalid"
  | "unknown_type"
  | "expired"
  | "cancelled"
  | "interrupted";

/**
 * Shortest delay, in ms, of what comes again without end: a snooze, an interruption, a retry that `maxRetries`
 * does not bound. With less it would be a loop in which the worker does nothing else.
 */
export const MIN_DELAY_MS = 100;

/** Longest delay, in ms, of what comes again by itself: a year. */
export const MAX_DELAY_MS = 365 * 86_400_000;

/** A delay as it is written: all delays of retries and snoozes pass here. @param least 0 or {@link MIN_DELAY_MS} */
export function boundedDelay(delayMs: number, least: number): number {
  // What is no number at all is taken for none.
  return Math.min(Math.max(Math.ceil(delayMs) || 0, least), MAX_DELAY_MS);
}

/** Every handler has succeeded: the message goes. */
export interface Handled {
  readonly kind: "handled";
  /** For so many ms it is remembered; not at all where absent. */
  readonly keepMs?: number;
  /** Progress of it was written, which goes with it. */
  readonly progressed?: boolean;
}

/** The message stays and waits for its next attempt. */
export interface Retry {
  readonly kind: "retry";
  /** Ms until the next attempt. */
  readonly delayMs: number;
  /** The retry count from now on. */
  readonly retryCount: number;
  /** The message was in a crash: from now on it runs with no other message beside it. */
  readonly quarantined?: boolean;
  /** Its worker ended before its handler did, which is not the message's fault. */
  readonly interrupted?: boolean;
  /** The stamps from now on, where they change. */
  readonly stamps?: Stamps;
  /** What went wrong this time. */
  readonly errors: readonly AttemptError[];
}

/** The message moves to the dead letters. */
export interface Dead {
  readonly kind: "dead";
  readonly reason: DeadReason;
  /** The stamps from now on, where they change. */
  readonly stamps?: Stamps;
  /** What went wrong this time. */
  readonly errors: readonly AttemptError[];
}

/** What became of a message that was run, or that was found not fit to run. */
export type Outcome = Handled | Retry | Dead;

/** Given back unstarted: no attempt is charged. */
export interface Released {
  readonly kind: "released";
}

/** Its handler asked for it later: no attempt is charged. */
export interface Snoozed {
  readonly kind: "snoozed";
  /** Ms until the next attempt. */
  readonly delayMs: number;
  /** The stamps from now on, where they change. */
  readonly stamps?: Stamps;
}

/** An outcome to be written, under the token of the claim. */
export interface Settlement {
  readonly id: string;
  readonly leaseToken: string;
  readonly outcome: Outcome | Released | Snoozed;
  /** Its message belongs to a group. */
  readonly grouped?: boolean;
  /** That group, which a transport may have to read where it is not given. */
  readonly group?: readonly [queue: string, key: string];
}

/** The settlement of a claimed message. */
export function settlementOf(
  { id, leaseToken, queue, groupKey }: Pick<Envelope, "id" | "leaseToken" | "queue" | "groupKey">,
  outcome: Settlement["outcome"],
): Settlement {
  return groupKey === null
    ? { id, leaseToken, outcome }
    : { id, leaseToken, outcome, grouped: true, group: [queue, groupKey] };
}

/** The usual handled outcome; it carries nothing. */
export const handled: Handled = { kind: "handled" };

/** The one released outcome; it carries nothing. */
export const released: Released = { kind: "released" };

/** The outcome of a message whose handlers asked for it later. @param delayMs ms that they asked for */
export function snoozed(delayMs: number, stamps?: Stamps): Snoozed {
  return {
    kind: "snoozed",
    delayMs: boundedDelay(delayMs, MIN_DELAY_MS),
    ...(stamps && { stamps }),
  };
}
