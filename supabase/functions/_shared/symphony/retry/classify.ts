/**
 * Classification: whether what a handler threw is worth another attempt, judged by the error alone.
 *
 * An error and what is nested in it are asked in this order, and the first answer is taken:
 *   1. the classes that say it outright (RecoverableError, UnrecoverableError, a schema's failure),
 *      from the outside in, so that a wrapper can overrule its cause;
 *   2. what can be read off it (network error, timeout, throttling, Retry-After, SQL code, HTTP and SMTP
 *      status), from the outside in;
 *   3. nothing known: the strategy decides, as for any error.
 * Of several errors in one (AggregateError, several handlers) one that may pass is enough for a
 * retry, whatever their order: a retry runs only the handlers that have not succeeded.
 */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import {
  CrashError,
  HandlerTimeoutError,
  HttpError,
  RecoverableError,
  UnrecoverableError,
} from "../message/errors.ts";
import { isInstance, readList, readProperty } from "../runtime/inspect.ts";
import { askedDelayOf, carriesRetryAfter } from "./asked-delay.ts";
import { httpStatusesOf, isRetryableStatus } from "./http.ts";
import { isNetworkError } from "./network.ts";
import { isRetryableReply } from "./smtp.ts";
import { isRetryableSqlCode } from "./sqlstate.ts";
import { isThrottling } from "./throttling.ts";

/** What an error says about trying again. */
export type Classification =
  | {
    /** Trying again can help. */
    readonly kind: "recoverable";
    /** Ms to wait instead of the strategy's delay. */
    readonly retryDelay?: number;
    /** False: retried whatever `maxRetries` says. */
    readonly countsAgainstLimit: boolean;
  }
  /** Trying again cannot help. */
  | { readonly kind: "unrecoverable" }
  /** The error does not say: the strategy decides. */
  | { readonly kind: "unknown" };

/** A classification, and where it is from. */
export interface Judgement {
  readonly says: Classification;
  /** A class that says it outright gave it. */
  readonly explicit: boolean;
  /** The delay is what the other side asked for (Retry-After), and not what the handler's code chose. */
  readonly isRequested: boolean;
}

interface Inquiry {
  readonly now: Date;
  /** What was found about each error; undefined while it is being asked, which ends a cycle. */
  readonly verdicts: Map<unknown, Judgement | undefined>;
}

const UNKNOWN: Judgement = { says: { kind: "unknown" }, explicit: false, isRequested: false };

// Bounds that no real error reaches: what lies beyond them is unknown.
const MAX_DEPTH = 32;
const MAX_ERRORS = 10_000;

/**
 * Classifies what a handler threw. Never throws.
 * @param options.now what a date in a Retry-After header is measured from
 */
export function classifyError(error: unknown, options: { readonly now: Date }): Classification {
  return judgeError(error, options).says;
}

/** Classifies as {@link classifyError} does, and says who asked for the delay. Never throws. */
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

/** The first that says it outright, else the first that knows; with the first delay there is. */
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
  if (isInstance(error, UnrecoverableError) || isSchemaFailure(error)) return unrecoverable(true);
  return undefined;
}

/** An error of zod, whichever copy or flavour of it made it. */
function isSchemaFailure(error: object): boolean {
  const name = readProperty(error, "name");
  return name === "ZodError" || name === "$ZodError";
}

/** What can be read off the error itself, without its causes. */
function signs(error: object, now: Date): Judgement {
  const delay = requestedDelay(error, now);
  const retryable = isTimeout(error) || isNetworkError(error) || isThrottling(error) ||
    (delay !== undefined || carriesRetryAfter(error) ? refuses(error) : undefined) ||
    (isRetryableSqlCode(readProperty(error, "code")) ?? isRetryableReply(error) ??
      isRetryableResponse(error));
  if (retryable === undefined) return UNKNOWN;
  return retryable ? recoverable(true, delay, false) : unrecoverable(false);
}

/** With a status at all, it is one of failure. */
function refuses(error: object): boolean {
  const statuses = httpStatusesOf(error);
  return statuses.length === 0 || statuses.some((status) => status >= 400);
}

function isTimeout(error: object): boolean {
  return isInstance(error, HandlerTimeoutError) || isInstance(error, CrashError);
}

function isRetryableResponse(error: object): boolean | undefined {
  const answers = httpStatusesOf(error).map(isRetryableStatus);
  return answers.includes(true) || (answers.includes(false) ? false : undefined);
}

/** Ms the other side asked to wait; `retryAfterMs` is Supabase's, on a RateLimitError. */
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

/** Errors behind this one, nearest first. `originalError` is what supabase-js calls its cause. */
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
