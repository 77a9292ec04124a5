/** Headers about rate limits: whether one is spent, and when it is full again. */

import { MAX_DURATION_MS } from "../runtime/duration.ts";
import { headersOf, readHeader } from "./headers.ts";
import { isEpochSeconds } from "./http.ts";

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
/** OpenAI and those who copy its API have a limit of requests and one of tokens, with times such as `6m0s`. */
const NAMED_LIMITS = ["requests", "tokens"];

/** A spent limit; `ms` is the time until it is full again, if it is told. */
interface Spent {
  readonly ms: number | undefined;
}

/** Tells whether the headers report a spent rate limit. */
export function isRateLimitSpent(value: unknown): boolean {
  return headersOf(value).some((headers) => isSpent(headers));
}

/** Tells whether these headers report a spent rate limit. */
export function isSpent(headers: object): boolean {
  return spentLimits(headers, new Date(0)).length > 0;
}

/** Ms until the last of the spent limits is full again; undefined if none is spent, or no time is told. */
export function untilReset(headers: object, now: Date): number | undefined {
  const waits = spentLimits(headers, now).flatMap(({ ms }) => ms ?? []);
  return waits.length === 0 ? undefined : Math.min(Math.ceil(Math.max(...waits)), MAX_DURATION_MS);
}

function spentLimits(headers: object, now: Date): Spent[] {
  const isZero = (name: string) => readHeader(headers, name)?.trim() === "0";
  const reset = RESET_HEADERS.map((name) => msUntil(readHeader(headers, name), now))
    .find((ms) => ms !== undefined);
  return [
    ...(REMAINING_HEADERS.some(isZero) ? [{ ms: reset }] : []),
    ...NAMED_LIMITS.filter((name) => isZero(`x-ratelimit-remaining-${name}`))
      .map((name) => ({ ms: msOfTime(readHeader(headers, `x-ratelimit-reset-${name}`)) })),
    ...spentPolicies(readHeader(headers, "ratelimit")),
  ];
}

/**
 * The spent limits of the header `RateLimit` (draft-ietf-httpapi-ratelimit-headers): `"burst";r=0;t=5`, of which there
 * may be several, or in older drafts `limit=10, remaining=0, reset=5`.
 */
function spentPolicies(header: string | null): Spent[] {
  if (header === null || header.length > 1_000) return [];
  const read = (text: string, name: string) =>
    new RegExp(`(?:^|[;,\\s])${name}\\s*=\\s*"?(\\d+)`, "i").exec(text)?.[1];
  const spent = (text: string, remaining: string, seconds: string) => {
    const time = read(text, seconds);
    // A limit that tells a time alone, in a refusal, is the one that was met.
    const isMet = read(text, remaining) === undefined ? time !== undefined : true;
    if (!isMet || Number(read(text, remaining) ?? 0) > 0) return [];
    return [{ ms: time === undefined ? undefined : Number(time) * 1_000 }];
  };
  if (read(header, "remaining") !== undefined) return spent(header, "remaining", "reset");
  return header.split(",").flatMap((policy) => spent(policy, "r", "t"));
}

/** A reset header holds seconds, either since 1970 or from now. */
function msUntil(text: string | null, now: Date): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (!/^\d+(\.\d+)?$/.test(trimmed)) return undefined;
  const seconds = Number(trimmed);
  const sinceEpoch = [seconds, seconds / 1_000].find(isEpochSeconds);
  if (sinceEpoch === undefined) return seconds * 1_000;
  return Math.max(0, sinceEpoch * 1_000 - now.getTime());
}

const TIME_UNITS = new Map([["h", 3_600_000], ["m", 60_000], ["s", 1_000], ["ms", 1]]);

/** A time as Go writes it, such as `6m0s` or `20ms`, in ms. */
function msOfTime(text: string | null): number | undefined {
  const trimmed = text?.trim() ?? "";
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s)){1,4}$/.test(trimmed)) return undefined;
  const parts = trimmed.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g);
  return [...parts].reduce(
    (ms, [, count, unit]) => ms + Number(count) * (TIME_UNITS.get(unit ?? "") ?? NaN),
    0,
  );
}
