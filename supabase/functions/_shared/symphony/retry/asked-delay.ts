/**
 * The delay that another server asks for: Retry-After and similar headers, in every shape in which HTTP
 * clients keep headers, and fields of the body.
 */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { readProperty } from "../runtime/inspect.ts";
import { bodiesOf } from "./bodies.ts";
import { holdersOf, httpStatusesOf, isEpoch, isEpochSeconds, parseRetryAfter } from "./http.ts";

/** Properties in which responses and errors keep headers: fetch and axios, Vercel's AI SDK, gRPC. */
const HEADERS_KEYS = ["headers", "responseHeaders", "metadata"];
/** Headers in ms. Servers send them beside `retry-after`, which is read first. */
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
const WITH_UNIT = /^(\d+(?:\.\d+)?) ?(?:s|sec|secs|second|seconds)$/i;
/** A date with its time and its zone, in any order of words: `27 Nov 2026 12:00:00 +0000`. */
const ANY_DATE = /^(?=.*\b\d{4}\b)(?=.*\d:\d\d).{10,60}(?:GMT|UTC|Z|[+-]\d\d:?\d\d)$/i;
const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)$/;

/**
 * Ms that a response, or an error that holds one, asks the client to wait; undefined if it names no time.
 * @param now the time from which dates are measured
 */
export function askedDelayOf(value: unknown, now: Date): number | undefined {
  const statuses = httpStatusesOf(value);
  // With another status, such as 404, a spent rate limit is a coincidence.
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
 * Tells whether a response carries a Retry-After with a number or a date in it, even if it is no usable
 * delay. Clients and bodies use more names for it, some in seconds and some in ms: those show that a
 * retry may help, but not when.
 */
export function carriesRetryAfter(value: unknown): boolean {
  const inHeaders = headersOf(value).some((headers) =>
    ["retry-after", ...MS_HEADERS].some((name) => /\d/.test(readHeader(headers, name) ?? ""))
  );
  return inHeaders ||
    bodiesOf(value).some((body) =>
      BODY_KEYS.some((key) => toNumber(textOf(readProperty(body, key)) ?? null) !== undefined)
    );
}

/** Tells whether the headers report a spent rate limit. */
export function isRateLimitSpent(value: unknown): boolean {
  return headersOf(value).some(isSpent);
}

function isSpent(headers: object): boolean {
  return REMAINING_HEADERS.some((name) => readHeader(headers, name)?.trim() === "0");
}

/**
 * Reads a Retry-After. The RFC has whole seconds and HTTP dates; fractions and ISO 8601 dates are common
 * too. fetch joins several headers with a comma: the longest of their delays is never too early.
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
  const number = WITH_UNIT.exec(text?.trim() ?? "")?.[1] ?? text;
  const seconds = toNumber(number);
  if (seconds === undefined) return parseRetryAfter(text, now) ?? parseAnyDate(text, now);
  if (Number.isInteger(seconds)) return parseRetryAfter(number, now);
  return isEpoch(seconds) ? undefined : toMs(seconds * 1_000);
}

/** Servers also write UTC or +0000 for the GMT of HTTP's dates, and in other letter cases. */
function parseAnyDate(text: string | null, now: Date): number | undefined {
  const ms = ANY_DATE.test(text?.trim() ?? "") ? Date.parse(text ?? "") - now.getTime() : NaN;
  return Number.isNaN(ms) ? undefined : toMs(Math.max(0, ms));
}

function parseMs(text: string | null): number | undefined {
  const ms = toNumber(text);
  return ms === undefined || isEpoch(ms) ? undefined : toMs(ms);
}

/** A rate limit's reset header holds seconds, either since 1970 or from now. */
function untilReset(headers: object, now: Date): number | undefined {
  const seconds = RESET_HEADERS.map((name) => toNumber(readHeader(headers, name))).find(isGiven);
  if (seconds === undefined) return undefined;
  const sinceEpoch = [seconds, seconds / 1_000].find(isEpochSeconds);
  if (sinceEpoch === undefined) return toMs(seconds * 1_000);
  return toMs(Math.max(0, sinceEpoch * 1_000 - now.getTime()));
}

/** Discord and Telegram put seconds into the body, Slack's client puts them on the error, Google writes "30s" in a RetryInfo. */
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

/** Reads a Headers object, a Map, gRPC's Metadata, a list of pairs, or an object with names in any letter case. */
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
