/**
 * Decides between a retry and the dead letter queue, in this order: interruptions, the bus's own reasons
 * (unknown type, invalid payload, expiry, cancel, crash), then the error's classification.
 */

import type { DeadReason } from "../message/dead-reason.ts";
import type { Envelope } from "../message/envelope.ts";
import {
  CancelledError,
  CrashError,
  HandlersFailedError,
  InvalidPayloadError,
  LeaseLostError,
  MessageExpiredError,
  StepError,
  UnknownMessageTypeError,
  WorkerStoppedError,
} from "../message/errors.ts";
import {
  boundedDelay,
  type Dead,
  MAX_DELAY_MS,
  MIN_DELAY_MS,
  type Retry,
} from "../message/outcome.ts";
import { isInstance, readList } from "../runtime/inspect.ts";
import type { Judgement } from "./classify.ts";
import { unknownTypeWait } from "./unknown-type.ts";

/** After this many interruptions the message is a dead letter: no worker lives long enough for it. */
const MAX_INTERRUPTIONS = 10;
/** Retries with a delay below {@link MIN_DELAY_MS}. A user's strategy may allow retries without end. */
const FAST_RETRIES = 10;

/** A decision, without the history of the message. */
export type Decision = Omit<Retry, "errors"> | Omit<Dead, "errors">;

/** The retry rules of one message's type, applied to its retry count. */
export interface AppliedRules {
  readonly retryCount: number;
  /** Ms of the backoff. */
  backoff(): number;
  /** Whether `maxRetries` allows another retry. */
  mayRetry(): boolean;
  /** Ms to wait after a Retry-After of `ms`. */
  retryAfter(ms: number): number;
  /** Classifies the error. */
  judge(): Pick<Judgement, "says" | "isRequested">;
}

/**
 * Decides the outcome of a failed attempt.
 * @param attempt byHandler: a handler or middleware threw the error, so that the bus's own reasons do not apply;
 * durable: it made durable calls; waitMs: what its handlers dispatched was refused for now
 */
export function decideFailure(
  envelope: Envelope,
  error: unknown,
  attempt: { readonly byHandler?: boolean; readonly durable?: boolean; readonly waitMs?: number },
  rules: AppliedRules,
): Decision {
  const { waitMs } = attempt;
  if (waitMs !== undefined) return retry(Math.max(rules.backoff(), waitMs), rules.retryCount);
  return decideInterruption(envelope, error, rules, attempt.durable ?? false) ??
    (attempt.byHandler ? null : decideForBus(envelope, error, rules)) ??
    decideByClassification(error, rules);
}

function dead(reason: DeadReason): Decision {
  return { kind: "dead", reason };
}

function retry(delayMs: number, retryCount: number): Omit<Retry, "errors"> {
  const least = retryCount > FAST_RETRIES ? MIN_DELAY_MS : 0;
  return { kind: "retry", delayMs: boundedDelay(delayMs, least), retryCount };
}

function decideInterruption(
  { interruptions = 0 }: Envelope,
  error: unknown,
  { retryCount }: AppliedRules,
  isDurable: boolean,
): Decision | null {
  if (!isInterruption(error)) return null;
  if (isDurable) {
    // A stored step sets the count to 0. Two runs in a row that stored none may never store one.
    return interruptions > 0 ? null : { ...retry(0, retryCount), interrupted: true };
  }
  if (interruptions >= MAX_INTERRUPTIONS) return dead("interrupted");
  return { ...retry(MIN_DELAY_MS, retryCount), interrupted: true };
}

/** Tells whether the worker ended, or lost the lease, before the handlers were done. All errors must say so. */
function isInterruption(error: unknown): boolean {
  const errors = isInstance(error, HandlersFailedError) ? readList(error, "errors") : [error];
  return errors.length > 0 &&
    errors.every((one) => isInstance(one, WorkerStoppedError) || isInstance(one, LeaseLostError));
}

function decideForBus(envelope: Envelope, error: unknown, rules: AppliedRules): Decision | null {
  if (isInstance(error, UnknownMessageTypeError) && error.type === envelope.type) {
    const wait = unknownTypeWait(envelope);
    if (wait === null) return dead("unknown_type");
    return { ...retry(wait.delayMs, rules.retryCount), stamps: wait.stamps };
  }
  if (isInstance(error, InvalidPayloadError)) return dead("invalid");
  if (isInstance(error, MessageExpiredError)) return dead("expired");
  if (isInstance(error, CancelledError)) return dead("cancelled");
  return isInstance(error, CrashError) ? decideCrash(envelope, rules) : null;
}

/**
 * A crash hits every message that ran in the worker. Only a quarantined message, which ran with no other
 * beside it, is known to be its cause. Before that the crash costs no retry, but quarantines the message.
 */
function decideCrash(envelope: Envelope, rules: AppliedRules): Decision {
  const { retryCount } = rules;
  if (!envelope.quarantined) return { ...retry(rules.backoff(), retryCount), quarantined: true };
  return rules.mayRetry()
    ? { ...retry(rules.backoff(), retryCount + 1), quarantined: true }
    : dead("crashed");
}

function decideByClassification(error: unknown, rules: AppliedRules): Decision {
  const { says, isRequested } = rules.judge();
  const next = rules.retryCount + 1;
  switch (says.kind) {
    case "unrecoverable":
      return dead(isInstance(error, StepError) ? error.reason : "unrecoverable");
    case "recoverable": {
      if (says.countsAgainstLimit && !rules.mayRetry()) return dead("exhausted");
      const least = says.countsAgainstLimit ? 0 : MIN_DELAY_MS;
      return retry(Math.max(delayOf(says.retryDelay, isRequested, rules), least), next);
    }
    case "unknown":
      return rules.mayRetry() ? retry(rules.backoff(), next) : dead("exhausted");
  }
}

/** A Retry-After of 0, or of more than a year, cannot be meant: the backoff holds instead. */
function delayOf(ms: number | undefined, isRequested: boolean, rules: AppliedRules): number {
  if (ms === undefined || ms > MAX_DELAY_MS || (isRequested && ms === 0)) return rules.backoff();
  return isRequested ? rules.retryAfter(ms) : ms;
}
