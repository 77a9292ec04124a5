/**
 * How long the other side asks to wait: Retry-After and its relatives, in every shape in which clients keep
 * headers, and fields of the body.
 */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { readProperty } from "../runtime/inspect.ts";
import { bodiesOf } from "./bodies.ts";
import { holdersOf, httpStatusesOf, isEpoch, isEpochSeconds, parseRetryAfter } from "./http.ts";

/** Where responses and errors keep headers: fetch and axios, Vercel's AI SDK, gRPC. */
const HEADERS_KEYS = ["headers", "responseHeaders", "metadata"];
/** `retry-after` goes first, which servers send beside the others. */
const MS_HEADERS = ["retry-after-ms", "x-ms-retry-after-ms"];
const REMAINING_HEADERS = [
  "x-ratelimit-remaining",
  "x-rate-limit-remaining",
  "ratelimit-remaining",
];
const RESET_HEADERS = [
  "x-ratelimit-reset-after",
  "x-ratelimit-reset",
  "x-rate-limit-reset",
  "ratelimit-reset",
];

const BODY_KEYS = [
  "retry_after",
  "retryAfter",
  "retryAfterSeconds",
  "retry_after_ms",
  "retryAfterMs",
];
const SEVERAL = /^\s*[\d.]+(\s*,\s*[\d.]+){1,9}\s*$/;
const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/;

/**
 * Ms that a response, or an error that holds one, asks to wait; undefined where it asks for nothing, or for
 * what is no time to wait.
 * @param now what dates are measured from
 */
export function askedDelayOf(value: unknown, now: Date): number | undefined {
  const statuses = httpStatusesOf(value);
  // With another status, such as 404, it is a coincidence that a rate limit is spent.
  const mayBeLimit = statuses.length === 0 || statuses.some((one) => one === 403 || one === 429);
  for (const headers of headersOf(value)) {
    const asked = parseSeconds(readHeader(headers, "retry-after"), now) ??
      MS_HEADERS.map((name) => parseMs(readHeader(headers, name))).find(isGiven) ??
      (mayBeLimit && isSpent(headers) ? untilReset(headers, now) : undefined);
    if (asked !== undefined) return asked;
  }
  return bodiesOf(value).map(delayOfBody).find(isGiven);
}

/**
 * Whether there is a Retry-After at all that is a number or a date, if not one to wait for. Clients and bodies
 * say it by more names, some in seconds and some in ms: they tell that a retry may help, not when.
 */
export function carriesRetryAfter(value: unknown): boolean {
  const inHeaders = headersOf(value).some((headers) =>
    ["retry-after", ...MS_HEADERS].some((name) => {
      const text = readHeader(headers, name);
      return toNumber(text) !== undefined || parseSeconds(text, new Date(0)) !== undefined;
    })
  );
  return inHeaders ||
    bodiesOf(value).some((body) =>
      BODY_KEYS.some((key) => toNumber(textOf(readProperty(body, key)) ?? null) !== undefined)
    );
}

/** Whether the headers say that a rate limit is spent. */
export function isRateLimitSpent(value: unknown): boolean {
  return headersOf(value).some(isSpent);
}

function isSpent(headers: object): boolean {
  return REMAINING_HEADERS.some((name) => readHeader(headers, name)?.trim() === "0");
}

/**
 * A fraction of a second is more than the RFC has, and common. So are dates in ISO 8601, and several headers,
 * which fetch joins: the longest of their waits is never too early.
 */
function parseSeconds(text: string | null, now: Date): number | undefined {
  if (text !== null && SEVERAL.test(text)) {
    const waits = text.split(",").map((one) => parseSeconds(one, now)).filter(isGiven);
    return waits.length > 0 ? Math.max(...waits) : undefined;
  }
  if (text !== null && ISO_DATE.test(text.trim())) {
    const ms = Date.parse(text.trim()) - now.getTime();
    return Number.isNaN(ms) ? undefined : toMs(Math.max(0, ms));
  }
  const seconds = toNumber(text);
  if (seconds === undefined || Number.isInteger(seconds)) return parseRetryAfter(text, now);
  return isEpoch(seconds) ? undefined : toMs(seconds * 1_000);
}

function parseMs(text: string | null): number | undefined {
  const ms = toNumber(text);
  return ms === undefined || isEpoch(ms) ? undefined : toMs(ms);
}

/** A reset is told in seconds since 1970, or from now on. */
function untilReset(headers: object, now: Date): number | undefined {
  const seconds = RESET_HEADERS.map((name) => toNumber(readHeader(headers, name))).find(isGiven);
  if (seconds === undefined) return undefined;
  const sinceEpoch = [seconds, seconds / 1_000].find(isEpochSeconds);
  if (sinceEpoch === undefined) return toMs(seconds * 1_000);
  return toMs(Math.max(0, sinceEpoch * 1_000 - now.getTime()));
}

/** Discord and Telegram say seconds in the body, Slack's client on the error, Google "30s" in a RetryInfo. */
function delayOfBody(body: unknown): number | undefined {
  const isSlack = textOf(readProperty(body, "code"))?.startsWith("slack_") ?? false;
  const info = textOf(readProperty(body, "retryDelay"));
  const texts = [
    textOf(readProperty(body, "retry_after")),
    isSlack ? textOf(readProperty(body, "retryAfter")) : undefined,
    info?.endsWith("s") ? info.slice(0, -1) : undefined,
  ];
  const seconds = texts.map((text) => toNumber(text ?? null)).find(isGiven);
  return seconds === undefined || isEpoch(seconds) ? undefined : toMs(seconds * 1_000);
}

function toNumber(text: string | null): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
}

function toMs(ms: number): number {
  return Math.min(Math.ceil(ms), MAX_DURATION_MS);
}

function isGiven<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "number" || typeof value === "string" ? String(value) : undefined;
}

function headersOf(value: unknown): object[] {
  return holdersOf(value)
    .flatMap((holder) => HEADERS_KEYS.map((key) => readProperty(holder, key)))
    .filter((headers) => typeof headers === "object" && headers !== null);
}

/** Reads a Headers object, a Map, gRPC's Metadata, a list of pairs, or an object with names in any case. */
function readHeader(headers: object, name: string): string | null {
  try {
    const get = readProperty(headers, "get");
    const own: unknown = typeof get === "function" ? get.call(headers, name) : undefined;
    const isThere = own !== undefined && own !== null && !(Array.isArray(own) && own.length === 0);
    const value = isThere ? own : entryOf(headers, name);
    return textOf(Array.isArray(value) ? value[0] : value) ?? null;
  } catch {
    return null;
  }
}

const MAX_HEADERS = 200;

function entryOf(headers: object, name: string): unknown {
  const entries: Iterable<unknown> = Symbol.iterator in headers
    ? headers as Iterable<unknown>
    : Object.entries(headers);
  let number = 0;
  for (const entry of entries) {
    if (Array.isArray(entry) && String(entry[0]).toLowerCase() === name) return entry[1];
    if (++number === MAX_HEADERS) break;
  }
  return undefined;
}
