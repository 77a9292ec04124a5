/** Deduplication: how long a dispatch prevents a second message with the same type and key, and which payload wins. */

import { type Duration, parseDuration } from "../runtime/duration.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";

/** One message for a burst of dispatches, with the payload of the last. */
export interface Debounce {
  /** The message is due this long after the latest dispatch. */
  readonly debounce: Duration;
  /** The message is due at most this long after the first dispatch; default: no bound. */
  readonly maxWait?: Duration;
}

/**
 * How long a `dedupeKey` is held: until a worker claims the message, until the message is handled or
 * dead, or for a fixed time from the dispatch. A repeated dispatch changes nothing.
 *
 * With `replace` and with a debounce the key is held until a worker claims the message, and a repeated dispatch
 * gives the waiting message its payload. A debounce also moves the due time.
 */
export type Dedupe =
  | "until-started"
  | "until-finished"
  | "replace"
  | { readonly window: Duration }
  | Debounce;

/** The same for a transport, with times in ms. */
export type HeldFor =
  | "until-started"
  | "until-finished"
  | "replace"
  | { readonly windowMs: number }
  | DebouncedFor;

/** A debounce for a transport. */
export interface DebouncedFor {
  /** Time from the latest dispatch until the message is due, in ms. */
  readonly debounceMs: number;
  /** Longest time from the first dispatch until the message is due, in ms. */
  readonly maxWaitMs?: number;
}

const WORDS: readonly unknown[] = ["until-started", "until-finished", "replace"];

/**
 * Checks how long a key is held.
 * @param field name of the option in an error
 * @throws RangeError that names the field
 */
export function parseDedupe(value: Dedupe, field: string): HeldFor {
  if (typeof value === "string" && WORDS.includes(value)) return value;
  if (typeof value === "object" && value !== null) {
    if ("debounce" in value) return parseDebounce(value, field);
    if ("window" in value) {
      checkNames(value, ["window"], `${field}: `);
      return { windowMs: positive(value.window, `${field}: window`) };
    }
  }
  throw new RangeError(
    `${field}: has to be 'until-started', 'until-finished', 'replace', { window } or { debounce, maxWait }; got ${
      showValue(value)
    }`,
  );
}

function parseDebounce(value: Debounce, field: string): DebouncedFor {
  checkNames(value, ["debounce", "maxWait"], `${field}: `);
  const debounceMs = positive(value.debounce, `${field}: debounce`);
  if (value.maxWait === undefined) return { debounceMs };
  const maxWaitMs = parseDuration(value.maxWait, `${field}: maxWait`);
  if (maxWaitMs >= debounceMs) return { debounceMs, maxWaitMs };
  throw new RangeError(
    `${field}: maxWait: has to be at least the debounce of ${debounceMs} ms (was ${maxWaitMs} ms)`,
  );
}

function positive(value: Duration, field: string): number {
  const ms = parseDuration(value, field);
  if (ms === 0) throw new RangeError(`${field}: has to be more than 0`);
  return ms;
}

/**
 * Refuses a definition whose messages would expire before their debounce lets them begin.
 * @throws RangeError that names the option
 */
export function checkDebounce(type: string, dedupe: HeldFor, ttlMs: number | undefined): void {
  const debounceMs = debounceOf(dedupe);
  if (ttlMs === undefined || debounceMs === undefined || ttlMs > debounceMs) return;
  throw new RangeError(
    `${type}: ttl: has to be longer than the debounce of ${debounceMs} ms (was ${ttlMs} ms)`,
  );
}

/** The time from a dispatch until its message is due that its debounce gives, in ms; undefined without one. */
export function debounceOf(dedupe: HeldFor | undefined): number | undefined {
  return typeof dedupe === "object" && "debounceMs" in dedupe ? dedupe.debounceMs : undefined;
}

/** Whether a repeated dispatch gives the waiting message its payload. */
export function replacesPayload(dedupe: HeldFor | undefined): boolean {
  return dedupe === "replace" || debounceOf(dedupe) !== undefined;
}
