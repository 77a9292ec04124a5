/**
 * The delay that another server asks for: Retry-After and similar headers, in every shape in which HTTP
 * clients keep headers, and fields of the body.
 */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { readProperty } from "../runtime/inspect.ts";
import { bodiesOf } from "./bodies.ts";
import { headersOf, readHeader, textOf } from "./headers.ts";
import { httpStatusesOf, isEpoch, parseRetryAfter } from "./http.ts";
import { isSpent, untilReset } from "./rate-limit-headers.ts";

/** Headers in seconds, or with a date. */
const SECONDS_HEADERS = [
  "retry-after",
  "x-retry-after",
  "x-ratelimit-retry-after",
  "x-rate-limit-retry-after-seconds",
];
/** Headers in ms. Servers send them beside `retry-after`, which is read first. */
const MS_HEADERS = ["retry-after-ms", "x-ms-retry-after-ms"];
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
    const asked = SECONDS_HEADERS.map((name) => parseSeconds(readHeader(headers, name), now))
      .find(isGiven) ??
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
    [...SECONDS_HEADERS, ...MS_HEADERS].some((name) => /\d/.test(readHeader(headers, name) ?? ""))
  );
  return inHeaders ||
    bodiesOf(value).some((body) =>
      BODY_KEYS.some((key) => toNumber(textOf(readProperty(body, key)) ?? null) !== undefined)
    );
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

/** Discord and Telegram put seconds into the body, Slack's client puts them on the error, Google writes "30s" in a RetryInfo. */
function delayOfBody(body: unknown): number | undefined {
  const isSlack = textOf(readProperty(body, "code"))?.startsWith("slack_") ?? false;
  const info = readProperty(body, "retryDelay");
  const texts = [
    textOf(readProperty(body, "retry_after")),
    isSlack ? textOf(readProperty(body, "retryAfter")) : undefined,
    typeof info === "string" && info.endsWith("s") ? info.slice(0, -1) : secondsOf(info),
  ];
  const seconds = texts.map((text) => toNumber(text ?? null)).find(isGiven);
  return seconds === undefined || isEpoch(seconds) ? undefined : toMs(seconds * 1_000);
}

/** Seconds of a decoded protobuf Duration, `{ seconds, nanos }`. */
function secondsOf(duration: unknown): string | undefined {
  // An integer of 64 bits may be an object of a class of its own.
  const seconds = Number(String(readProperty(duration, "seconds") ?? NaN));
  const nanos = Number(readProperty(duration, "nanos") ?? 0);
  return seconds >= 0 && nanos >= 0 ? (seconds + nanos / 1e9).toFixed(9) : undefined;
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
