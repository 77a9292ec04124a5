/** What an HTTP answer says about trying again: its status (RFC 9110, 15) and its Retry-After. */

import { MAX_DURATION_MS } from "../duration.ts";
import { readProperty } from "../inspect.ts";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const TIME = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";

// The three forms of an HTTP date (RFC 9110, 5.6.7): IMF-fixdate, RFC 850, asctime.
const HTTP_DATES = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(
    `^[A-Z][a-z]{5,8}, (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) ${TIME} GMT$`,
  ),
  new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[\\d ]\\d) ${TIME} (?<year>\\d{4})$`),
];

/**
 * Reads a Retry-After header (RFC 9110, 10.2.3): seconds, or an HTTP date.
 * @returns ms to wait, 0 for a date in the past, at most 100 years; undefined for anything else, and for
 * a number that is a time since 1970 and no number of seconds to wait
 */
export function parseRetryAfter(value: string | null, now: Date): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+$/.test(text) && isEpoch(Number(text))) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : parseHttpDate(text, now) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_DURATION_MS);
}

/** From 2001 to 5138, in seconds or in ms. */
function isEpoch(value: number): boolean {
  return (value >= 1e9 && value < 1e11) || (value >= 1e12 && value < 1e14);
}

function parseHttpDate(text: string, now: Date): number {
  const parts = HTTP_DATES.map((form) => form.exec(text)?.groups).find(Boolean);
  const month = MONTHS.indexOf(parts?.month ?? "");
  if (!parts || month < 0) return NaN;
  const { day, hour, minute, second } = parts;
  const year = fullYear(parts.year ?? "", now);
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return NaN;
  return Date.UTC(year, month, Number(day), Number(hour), Number(minute), Number(second));
}

/** A two-digit year more than 50 years ahead is in the past (RFC 9110, 5.6.7). */
function fullYear(text: string, now: Date): number {
  if (text.length === 4) return Number(text);
  const thisYear = now.getUTCFullYear();
  const year = thisYear - thisYear % 100 + Number(text);
  return year > thisYear + 50 ? year - 100 : year;
}

/**
 * Whether a retry can help after this status: 408, 425, 429 and 5xx yes, other 4xx no.
 * @returns undefined for a status that is no failure
 */
export function isRetryableStatus(status: number): boolean | undefined {
  if ([408, 425, 429].includes(status) || (status >= 500 && status <= 599)) return true;
  return status >= 400 && status <= 499 ? false : undefined;
}

/**
 * The HTTP statuses of a response, or of an error that holds one: in `status`, `statusCode`,
 * `response` (axios, ky), `context` (supabase-js) or `$metadata` (AWS). Storage gives two that may
 * differ.
 */
export function httpStatusesOf(value: unknown): number[] {
  return holders(value)
    .flatMap((holder) =>
      ["status", "statusCode", "httpStatusCode"].map((key) => readProperty(holder, key))
    )
    .filter((status) => typeof status === "number" || typeof status === "string")
    .map(Number)
    .filter((status) => Number.isInteger(status) && status >= 100 && status <= 599);
}

/**
 * How long a response, or an error that holds one, asks to wait, in ms: its Retry-After, `retry-after-ms`
 * (Azure, OpenAI), or the time at which a rate limit that is spent begins anew (GitHub's x-ratelimit-reset).
 */
export function retryAfterOf(value: unknown, now: Date): number | undefined {
  return headersOf(value).map((headers) =>
    parseRetryAfter(readHeader(headers, "retry-after"), now) ??
      parseMs(readHeader(headers, "retry-after-ms")) ?? untilReset(headers, now)
  ).find((ms) => ms !== undefined);
}

function parseMs(text: string | null): number | undefined {
  if (text === null || !/^\d+(\.\d+)?$/.test(text) || isEpoch(Number(text))) return undefined;
  return Math.min(Math.ceil(Number(text)), MAX_DURATION_MS);
}

/** Whether there is a Retry-After at all that is a number or a date, if not one to wait for. */
export function carriesRetryAfter(value: unknown): boolean {
  return headersOf(value).some((headers) =>
    ["retry-after", "retry-after-ms"].some((name) => {
      const text = readHeader(headers, name)?.trim() ?? "";
      return /^\d+(\.\d+)?$/.test(text) || !Number.isNaN(parseHttpDate(text, new Date(0)));
    })
  );
}

/** Whether the headers say that a rate limit is spent. */
export function isRateLimitSpent(value: unknown): boolean {
  return headersOf(value).some((headers) =>
    readHeader(headers, "x-ratelimit-remaining")?.trim() === "0"
  );
}

function untilReset(headers: unknown, now: Date): number | undefined {
  if (readHeader(headers, "x-ratelimit-remaining")?.trim() !== "0") return undefined;
  const seconds = Number(readHeader(headers, "x-ratelimit-reset") ?? NaN);
  if (!isEpoch(seconds) || seconds >= 1e11) return undefined;
  return Math.max(seconds * 1_000 - now.getTime(), 0);
}

function headersOf(value: unknown): unknown[] {
  return holders(value).map((holder) => readProperty(holder, "headers"))
    .filter((headers) => headers !== undefined && headers !== null);
}

/** `$response` is where AWS's SDK has it. */
function holders(value: unknown): unknown[] {
  const keys = ["response", "context", "$response", "$metadata"];
  return [value, ...keys.map((key) => readProperty(value, key))];
}

/** Reads a header of a Headers object, a Map, or a plain object, with names in any case. */
function readHeader(headers: unknown, name: string): string | null {
  try {
    const get = readProperty(headers, "get");
    const own = typeof get === "function" ? get.call(headers, name) : undefined;
    const value = own ??
      entriesOf(headers).find(([key]) => String(key).toLowerCase() === name)?.[1];
    const first = Array.isArray(value) ? value[0] : value;
    return first === undefined || first === null ? null : String(first);
  } catch {
    return null;
  }
}

const MAX_HEADERS = 200;

function entriesOf(headers: unknown): [unknown, unknown][] {
  if (headers instanceof Map) return [...headers].slice(0, MAX_HEADERS);
  if (Array.isArray(headers)) {
    return headers.slice(0, MAX_HEADERS).filter((entry) => Array.isArray(entry)) as [
      unknown,
      unknown,
    ][];
  }
  return Object.entries(headers ?? {}).slice(0, MAX_HEADERS);
}
