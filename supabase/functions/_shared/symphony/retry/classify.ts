/**
 * Classification: whether another attempt can help, judged by the thrown error alone.
 *
 * An error and its nested errors are read in this order, and the first verdict counts:
 *   1. classes that state it (RecoverableError, UnrecoverableError, a schema's failure, a wrong
 *      argument of a call of the context), from the outside in, so that a wrapper can overrule its cause;
 *   2. signs on the error (network error, timeout, throttling, Retry-After, SQL code, HTTP and SMTP
 *      status), from the outside in;
 *   3. no sign: the strategy decides.
 * Of several errors in one (AggregateError, several handlers), one that may pass is enough for a retry,
 * in any order: a retry runs only the handlers that have not succeeded.
 */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import {
  CrashError,
  HandlerTimeoutError,
  HttpError,
  RecoverableError,
  StepTimeoutError,
  UnrecoverableError,
} from "../message/errors.ts";
import { isWrongArgument } from "../message/wrong-argument.ts";
import { isInstance, readList, readProperty } from "../runtime/inspect.ts";
import { TransportError } from "../transport/transport.ts";
import { askedDelayOf, carriesRetryAfter } from "./asked-delay.ts";
import { httpStatusesOf, isRetryableStatus } from "./http.ts";
import { isNetworkError } from "./network.ts";
import { saysShouldRetry } from "./should-retry.ts";
import { isRetryableReply } from "./smtp.ts";
import { isRetryableSqlCode } from "./sqlstate.ts";
import { isThrottling } from "./throttling.ts";

/** The verdict on an error. */
export type Classification =
  | {
    /** Another attempt can help. */
    readonly kind: "recoverable";
    /** Ms to wait instead of the strategy's delay. */
    readonly retryDelay?: number;
    /** False: the message is retried whatever `maxRetries` is. */
    readonly countsAgainstLimit: boolean;
  }
  /** No attempt can help. */
  | { readonly kind: "unrecoverable" }
  /** The error has no sign: the strategy decides. */
  | { readonly kind: "unknown" };

/** A classification and its origin. */
export interface Judgement {
  readonly says: Classification;
  /** A class states it, such as RecoverableError. */
  readonly explicit: boolean;
  /** The delay is a Retry-After of another server, and no choice of the handler's code. */
  readonly isRequested: boolean;
}

interface Inquiry {
  readonly now: Date;
  /** Verdict on each error; undefined while an error is being read, which ends a cycle. */
  readonly verdicts: Map<unknown, Judgement | undefined>;
}

const UNKNOWN: Judgement = { says: { kind: "unknown" }, explicit: false, isRequested: false };

// Bounds that no real error reaches. Errors beyond them are unknown.
const MAX_DEPTH = 32;
const MAX_ERRORS = 10_000;

/**
 * Classifies a thrown value. Never throws.
 * @param options.now the time from which a date in a Retry-After header is measured; default: the current time
 */
export function classifyError(
  error: unknown,
  options: { readonly now?: Date } = {},
): Classification {
  return judgeError(error, { now: options?.now ?? new Date() }).says;
}

/** Classifies like {@link classifyError}, and returns the origin of the verdict. Never throws. */
export function judgeError(error: unknown, options: { readonly now: Date }): Judgement {
  return judge(error, { now: options.now, verdicts: new Map() }, 0) ?? UNKNOWN;
}

function judge(error: unknown, inquiry: Inquiry, depth: number): Judgement | undefined {
  if (typeof error !== "object" || error === null) return UNKNOWN;
  const { verdicts } = inquiry;
  if (verdicts.has(error)) return verdicts.get(error);
  if (depth > MAX_DEPTH || verdicts.size >= MAX_ERRORS) return UNKNOWN;
  verdicts.set(error, undefined);
  const ask = (nested: unknown) => judge(nested, inquiry, depth + 1) ?? [];
  const candidates = [
    explicitVerdict(error) ?? signs(error, inquiry.now),
    combine(partsOf(error).flatMap(ask)),
    ...causesOf(error).flatMap(ask),
  ];
  const verdict = outermost(candidates);
  verdicts.set(error, verdict);
  return verdict;
}

/** The first explicit verdict, else the first known one; with the first delay of any of them. */
function outermost(candidates: readonly Judgement[]): Judgement {
  const chosen = candidates.find((one) => one.explicit) ??
    candidates.find((one) => one.says.kind !== "unknown") ?? UNKNOWN;
  const delay = candidates.map(delayOf).find((one) => one !== undefined);
  if (chosen.says.kind !== "recoverable" || delayOf(chosen) !== undefined) return chosen;
  return recoverable(chosen.says.countsAgainstLimit, delay, chosen.explicit);
}

/** The verdict on several errors that happened together; it does not depend on their order. */
function combine(parts: readonly Judgement[]): Judgement {
  const retryable = parts.filter(({ says }) => says.kind === "recoverable");
  if (retryable.length > 0) {
    const delays = retryable.map(delayOf).filter((one) => one !== undefined);
    return recoverable(
      retryable.every(({ says }) => says.kind === "recoverable" && says.countsAgainstLimit),
      delays.length > 0 ? delays.reduce((a, b) => b.ms < a.ms ? b : a) : undefined,
      retryable.some(({ explicit }) => explicit),
    );
  }
  if (parts.length === 0 || parts.some(({ says }) => says.kind === "unknown")) return UNKNOWN;
  return unrecoverable(parts.some(({ explicit }) => explicit));
}

function explicitVerdict(error: object): Judgement | undefined {
  if (isInstance(error, RecoverableError)) {
    const counts = readProperty(error, "countsAgainstLimit") === true;
    const isRequested = readProperty(error, "isRetryAfter") === true;
    return recoverable(counts, toDelay(readProperty(error, "retryDelay"), isRequested), true);
  }
  const isFinal = isInstance(error, UnrecoverableError) || isSchemaFailure(error);
  if (isFinal || isWrongArgument(error)) return unrecoverable(true);
  // A call of the bus that failed by no fault of its message, also for a missing permission or a wrong key.
  if (isInstance(error, TransportError) && readProperty(error, "fault") !== "data") {
    return recoverable(true, undefined, true);
  }
  return undefined;
}

/** An error of zod, from any copy and variant of the package. */
function isSchemaFailure(error: object): boolean {
  const name = readProperty(error, "name");
  return name === "ZodError" || name === "$ZodError";
}

/** Reads the signs on the error itself, without its causes. */
function signs(error: object, now: Date): Judgement {
  const delay = requestedDelay(error, now);
  const retryable = isTimeout(error) || isNetworkError(error) || isThrottling(error) ||
    (delay !== undefined || carriesRetryAfter(error) ? refuses(error) : undefined) ||
    ((refuses(error) ? shouldRetry(error) : undefined) ??
      isRetryableSqlCode(readProperty(error, "code")) ?? isRetryableReply(error) ??
      isRetryableResponse(error));
  if (retryable === undefined) return UNKNOWN;
  return retryable ? recoverable(true, delay, false) : unrecoverable(false);
}

/** The answer of the server itself, if it gave one. */
function shouldRetry(error: object): boolean | undefined {
  const own = isInstance(error, HttpError) ? readProperty(error, "shouldRetry") : undefined;
  return typeof own === "boolean" ? own : saysShouldRetry(error);
}

/** Tells whether the error's statuses, if it has any, are failures. */
function refuses(error: object): boolean {
  const statuses = httpStatusesOf(error);
  return statuses.length === 0 || statuses.some((status) => status >= 400);
}

function isTimeout(error: object): boolean {
  return isInstance(error, HandlerTimeoutError) || isInstance(error, StepTimeoutError) ||
    isInstance(error, CrashError);
}

function isRetryableResponse(error: object): boolean | undefined {
  const answers = httpStatusesOf(error).map(isRetryableStatus);
  return answers.includes(true) || (answers.includes(false) ? false : undefined);
}

/** Ms that another server asked for. `retryAfterMs` is a property of Supabase's RateLimitError. */
function requestedDelay(error: object, now: Date): Delay | undefined {
  const key = isInstance(error, HttpError) ? "retryAfter" : "retryAfterMs";
  return toDelay(readProperty(error, key), true) ?? toDelay(askedDelayOf(error, now), true);
}

interface Delay {
  readonly ms: number;
  readonly isRequested: boolean;
}

function toDelay(ms: unknown, isRequested: boolean): Delay | undefined {
  return typeof ms === "number" && ms >= 0
    ? { ms: Math.min(Math.ceil(ms), MAX_DURATION_MS), isRequested }
    : undefined;
}

/** Errors that happened together. */
function partsOf(error: object): unknown[] {
  const several = isInstance(error, AggregateError) ||
    readProperty(error, "name") === "AggregateError";
  return several ? readList(error, "errors") : [];
}

/** Errors behind this one, nearest first. supabase-js calls its cause `originalError`. */
function causesOf(error: object): unknown[] {
  const keys = ["cause", "originalError"];
  if (readProperty(error, "name") === "SuppressedError") keys.push("suppressed", "error");
  return keys.map((key) => readProperty(error, key));
}

function delayOf({ says, isRequested }: Judgement): Delay | undefined {
  return says.kind === "recoverable" && says.retryDelay !== undefined
    ? { ms: says.retryDelay, isRequested }
    : undefined;
}

function recoverable(counts: boolean, delay: Delay | undefined, explicit: boolean): Judgement {
  const says = { kind: "recoverable" as const, countsAgainstLimit: counts };
  return delay === undefined
    ? { says, explicit, isRequested: false }
    : { says: { ...says, retryDelay: delay.ms }, explicit, isRequested: delay.isRequested };
}

function unrecoverable(explicit: boolean): Judgement {
  return { says: { kind: "unrecoverable" }, explicit, isRequested: false };
}
