/**
 * Outcomes of a claimed message. `Outcome` is a closed set: handled, retry or dead. The other three return a message
 * for a later run without an end of its attempt: released, snoozed and parked.
 */

import { batchStampOf } from "./batch-stamps.ts";
import type { DeadReason } from "./dead-reason.ts";
import type { Effects } from "./effects.ts";
import type { AttemptError, Envelope, Stamps } from "./envelope.ts";
import type { StepToStore } from "./stored-step.ts";

/**
 * Shortest delay, in ms, of a message that may return without end: a snooze, an interruption, a retry
 * that `maxRetries` does not bound. A shorter one would keep the worker busy with that message alone.
 */
export const MIN_DELAY_MS = 100;

/** Longest delay of a retry, snooze or interruption, in ms: a year. */
export const MAX_DELAY_MS = 365 * 86_400_000;

/** Bounds the delay of a retry or snooze before it is written. @param least 0 or {@link MIN_DELAY_MS} */
export function boundedDelay(delayMs: number, least: number): number {
  // NaN becomes 0.
  return Math.min(Math.max(Math.ceil(delayMs) || 0, least), MAX_DELAY_MS);
}

/** Every handler has succeeded: the message is deleted. */
export interface Handled {
  readonly kind: "handled";
  /** How long it is remembered, in ms; default: not at all. */
  readonly keepMs?: number;
  /** The value that its handler returned, as JSON, where it is kept. */
  readonly result?: unknown;
  /** Bytes of that JSON. */
  readonly resultBytes?: number;
  /** Progress was written for it, and is deleted with it. */
  readonly progressed?: boolean;
  /** It has durable steps, which are deleted with it. */
  readonly durable?: boolean;
}

/** The message waits for its next attempt. */
export interface Retry {
  readonly kind: "retry";
  /** Ms until the next attempt. */
  readonly delayMs: number;
  /** The new retry count. */
  readonly retryCount: number;
  /** The message was in a crash: from now on it is quarantined and runs with no other beside it. */
  readonly quarantined?: boolean;
  /** The worker ended before the handler did; no retry is charged. */
  readonly interrupted?: boolean;
  /** The new stamps, if they change. */
  readonly stamps?: Stamps;
  /**
   * It has ended so, and its row could not be deleted, such as by a foreign key of the project's own: it does not run
   * again, and the deletion is tried again. The retry count stays.
   */
  readonly ended?: "handled" | DeadReason;
  /** The errors of this attempt. */
  readonly errors: readonly AttemptError[];
}

/** The message moves to the dead letters. */
export interface Dead {
  readonly kind: "dead";
  readonly reason: DeadReason;
  /** The new stamps, if they change. */
  readonly stamps?: Stamps;
  /** The errors of this attempt. */
  readonly errors: readonly AttemptError[];
}

/** The outcome of a message that ran, or that was not fit to run. */
export type Outcome = Handled | Retry | Dead;

/** Given back without a start: no attempt is charged. */
export interface Released {
  readonly kind: "released";
}

/** The handler snoozed it: no attempt is charged. */
export interface Snoozed {
  readonly kind: "snoozed";
  /** Ms until the next attempt. */
  readonly delayMs: number;
  /** The new stamps, if they change. */
  readonly stamps?: Stamps;
}

/**
 * Its run ended before its handler did: it sleeps, waits for an event, or has a step that did not fit into the run.
 * No attempt is charged, and it keeps its place in its group and its dedupe key.
 */
export interface Parked {
  readonly kind: "parked";
  /** Ms until the next run; null: when `step` ends. */
  readonly delayMs: number | null;
  /** The sleep or wait that parks it; one that is stored already keeps its end. Default: what is pending first. */
  readonly step?: StepToStore;
  /** Keys of events: it is due as soon as one of them is there that it has not seen. */
  readonly waits?: readonly string[];
  /** It leaves its group, whose next message may run. */
  readonly leaveGroup?: boolean;
  /** The new stamps, if they change. */
  readonly stamps?: Stamps;
}

/** An outcome to write, under the claim's token. */
export interface Settlement {
  readonly id: string;
  readonly leaseToken: string;
  readonly outcome: Outcome | Released | Snoozed | Parked;
  /** The message belongs to a group. */
  readonly grouped?: boolean;
  /** That group, so that a transport need not read it. */
  readonly group?: readonly [queue: string, key: string];
  /** The batch whose member it is, unless a schedule made it: then a transport need not read its stamps. */
  readonly batch?: string;
  /** The dispatches of its handlers; written in the same transaction, if the outcome is. */
  readonly effects?: Effects;
}

type Claimed = Pick<Envelope, "id" | "leaseToken" | "queue" | "groupKey" | "stamps">;

/** Makes the settlement of a claimed message. */
export function settlementOf(
  { id, leaseToken, queue, groupKey, stamps }: Claimed,
  outcome: Settlement["outcome"],
  effects?: Effects,
): Settlement {
  // Without copies of objects: a settlement is made for each message.
  const settlement: { -readonly [Name in keyof Settlement]: Settlement[Name] } = {
    id,
    leaseToken,
    outcome,
  };
  if (groupKey !== null) {
    settlement.grouped = true;
    settlement.group = [queue, groupKey];
  }
  if (stamps.batch !== undefined && stamps.schedule === undefined) {
    const batch = batchStampOf(stamps)?.id;
    if (batch !== undefined) settlement.batch = batch;
  }
  if (effects) settlement.effects = effects;
  return settlement;
}

/** The outcome of a handled message whose definition keeps nothing. */
export const handled: Handled = { kind: "handled" };

/** The outcome of a message that is given back. */
export const released: Released = { kind: "released" };

/** Makes the outcome of a snoozed message. @param delayMs ms until the next attempt */
export function snoozed(delayMs: number, stamps?: Stamps): Snoozed {
  return {
    kind: "snoozed",
    delayMs: boundedDelay(delayMs, MIN_DELAY_MS),
    ...(stamps && { stamps }),
  };
}
