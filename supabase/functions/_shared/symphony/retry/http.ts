/** Signs of an HTTP response about a retry: its status (RFC 9110, 15) and its Retry-After. */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { readProperty } from "../runtime/inspect.ts";

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
 * @returns ms to wait, 0 for a date in the past, at most 100 years; undefined for other texts, and for a
 * number that is a time since 1970
 */
export function parseRetryAfter(value: string | null, now: Date): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+$/.test(text) && isEpoch(Number(text))) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : parseHttpDate(text, now) - now.getTime();
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_DURATION_MS);
}

/** Tells whether a number is a time since 1970, in seconds or in ms. */
export function isEpoch(value: number): boolean {
  return isEpochSeconds(value) || isEpochSeconds(value / 1_000);
}

/** Tells whether a number of seconds since 1970 is a time from 2001 to 5138. */
export function isEpochSeconds(value: number): boolean {
  return value >= 1e9 && value < 1e11;
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
 * Tells whether a retry can help after this status: 408, 425, 429 and 5xx yes, other 4xx no.
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
  return holdersOf(value)
    .flatMap((holder) =>
      ["status", "statusCode", "httpStatusCode"].map((key) => readProperty(holder, key))
    )
    .filter((status) => typeof status === "number" || typeof status === "string")
    .map(Number)
    .filter((status) => Number.isInteger(status) && status >= 100 && status <= 599);
}

const HOLDER_KEYS = ["response", "context", "$response", "$metadata", "output", "res", "raw"];

/** The value and the responses that it holds: AWS's SDK keeps one in `$response`, boom in `output`, Stripe's in `raw`. */
export function holdersOf(value: unknown): unknown[] {
  const holders = [value];
  // Most errors hold no response, so an absent property ends the search.
  for (const key of HOLDER_KEYS) {
    const held = readProperty(value, key);
    if (typeof held === "object" && held !== null) holders.push(held);
  }
  return holders;
}
