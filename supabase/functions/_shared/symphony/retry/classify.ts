/**
 * Classification: whether what a handler threw is worth another attempt, judged by the error alone.
 *
 * An error and what is nested in it are asked in this order, and the first answer is taken:
 *   1. the classes that say it outright (RecoverableError, UnrecoverableError, a schema's failure),
 *      from the outside in, so that a wrapper can overrule its cause;
 *   2. what can be read off it (network error, timeout, SQL code, HTTP status), from the outside in;
 *   3. nothing known: the strategy decides, as for any error.
 * Of several errors in one (AggregateError, several handlers) one that may pass is enough for a
 * retry, whatever their order: a retry runs only the handlers that have not succeeded.
 */

import { MAX_DURATION_MS } from "../duration.ts";
import {
  CrashError,
  HandlerTimeoutError,
  HttpError,
  RecoverableError,
  UnrecoverableError,
} from "../errors.ts";
import { isInstance, readList, readProperty } from "../inspect.ts";
import { httpStatusesOf, isRetryableStatus, retryAfterOf } from "./http.ts";
import { isNetworkError } from "./network.ts";
import { isRetryableSqlCode } from "./sqlstate.ts";

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

/** A classification, and whether a class that says it outright gave it. */
interface Verdict {
  readonly says: Classification;
  readonly explicit: boolean;
}

interface Inquiry {
  readonly now: Date;
  /** What was found about each error; undefined while it is being asked, which ends a cycle. */
  readonly verdicts: Map<unknown, Verdict | undefined>;
}

const UNKNOWN: Verdict = { says: { kind: "unknown" }, explicit: false };

// Bounds that no real error reaches: what lies beyond them is unknown.
const MAX_DEPTH = 32;
const MAX_ERRORS = 10_000;

/**
 * Classifies what a handler threw. Never throws.
 * @param options.now what a date in a Retry-After header is measured from
 */
export function classifyError(error: unknown, options: { readonly now: Date }): Classification {
  return (judge(error, { now: options.now, verdicts: new Map() }, 0) ?? UNKNOWN).says;
}

function judge(error: unknown, inquiry: Inquiry, depth: number): Verdict | undefined {
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
function outermost(candidates: readonly Verdict[]): Verdict {
  const chosen = candidates.find((one) => one.explicit) ??
    candidates.find((one) => one.says.kind !== "unknown") ?? UNKNOWN;
  const delay = candidates.map(delayOf).find((ms) => ms !== undefined);
  if (chosen.says.kind !== "recoverable" || delayOf(chosen) !== undefined) return chosen;
  return recoverable(chosen.says.countsAgainstLimit, delay, chosen.explicit);
}

/** The verdict on several errors that happened together; it does not depend on their order. */
function combine(parts: readonly Verdict[]): Verdict {
  const retryable = parts.filter(({ says }) => says.kind === "recoverable");
  if (retryable.length > 0) {
    const delays = retryable.map(delayOf).filter((ms) => ms !== undefined);
    return recoverable(
      retryable.every(({ says }) => says.kind === "recoverable" && says.countsAgainstLimit),
      delays.length > 0 ? delays.reduce((a, b) => Math.min(a, b)) : undefined,
      retryable.some(({ explicit }) => explicit),
    );
  }
  if (parts.length === 0 || parts.some(({ says }) => says.kind === "unknown")) return UNKNOWN;
  return unrecoverable(parts.some(({ explicit }) => explicit));
}

function explicitVerdict(error: object): Verdict | undefined {
  if (isInstance(error, RecoverableError)) {
    const counts = readProperty(error, "countsAgainstLimit") === true;
    return recoverable(counts, toDelay(readProperty(error, "retryDelay")), true);
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
function signs(error: object, now: Date): Verdict {
  const retryable = isTimeout(error) || isNetworkError(error) ||
    (isRetryableSqlCode(readProperty(error, "code")) ?? isRetryableResponse(error));
  if (retryable === undefined) return UNKNOWN;
  return retryable ? recoverable(true, requestedDelay(error, now), false) : unrecoverable(false);
}

function isTimeout(error: object): boolean {
  return isInstance(error, HandlerTimeoutError) || isInstance(error, CrashError);
}

function isRetryableResponse(error: object): boolean | undefined {
  const answers = httpStatusesOf(error).map(isRetryableStatus);
  return answers.includes(true) || (answers.includes(false) ? false : undefined);
}

/** Ms the other side asked to wait; `retryAfterMs` is Supabase's, on a RateLimitError. */
function requestedDelay(error: object, now: Date): number | undefined {
  const key = isInstance(error, HttpError) ? "retryAfter" : "retryAfterMs";
  return toDelay(readProperty(error, key)) ?? retryAfterOf(error, now);
}

function toDelay(ms: unknown): number | undefined {
  return typeof ms === "number" && ms >= 0 ? Math.min(Math.ceil(ms), MAX_DURATION_MS) : undefined;
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

function delayOf({ says }: Verdict): number | undefined {
  return says.kind === "recoverable" ? says.retryDelay : undefined;
}

function recoverable(counts: boolean, delay: number | undefined, explicit: boolean): Verdict {
  const says = { kind: "recoverable" as const, countsAgainstLimit: counts };
  return { says: delay === undefined ? says : { ...says, retryDelay: delay }, explicit };
}

function unrecoverable(explicit: boolean): Verdict {
  return { says: { kind: "unrecoverable" }, explicit };
}
