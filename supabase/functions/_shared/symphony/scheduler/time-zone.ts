// A time zone's offset from UTC and its changes, from the runtime's own tz data.
//
// Asking Intl is slow, so the changes are searched once for each zone and stretch of time, and kept.
import { boundedCache } from "./bounded-cache.ts";
import { DAY } from "./cron-calendar.ts";
import { isPlace, nearZones } from "./zone-names.ts";

/**
 * A stretch of time with one offset: `start` included, `end` excluded, in milliseconds since 1970.
 * Offsets are milliseconds to add to UTC. The next span may have the same offset.
 */
export interface OffsetSpan {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
  /** The offset right before `start`. */
  readonly previousOffset: number;
}

/** A time zone with its offsets. */
export interface TimeZone {
  /** The span that contains `instant`; it starts at every change in the day before `instant`. */
  spanAt(instant: number): OffsetSpan;
}

type OffsetAt = (instant: number) => number;

const SECOND = 1_000;
/** Sampling step: shorter than any zone kept an offset since 1970 (America/Boa_Vista: 7 days less an hour). */
const SAMPLE = 6 * DAY;
/** Length of the stretch that one search covers. */
const BLOCK = 10 * SAMPLE;
const MAX_CACHED_ZONES = 600;
const MAX_CACHED_BLOCKS = 256;

/**
 * Returns the zone of an IANA name that means one place, or of UTC, in any letter case.
 * Throws a RangeError that starts with `timezone:` for other names, and offers similar ones.
 */
export const getTimeZone: (name: string) => TimeZone = boundedCache(MAX_CACHED_ZONES, loadTimeZone);

/**
 * Throws a RangeError that starts with `timezone:` unless `name` is such a name and the runtime knows it.
 */
export function assertTimeZone(name: string): void {
  getTimeZone(name);
}

/**
 * Returns a moment on the wall clock of a zone, with its offset: `2026-11-27T09:00:00+09:00`.
 * @throws RangeError that starts with `timezone:` if there is no such zone
 */
export function localTime(moment: Date, timezone: string): string {
  const { offset } = getTimeZone(timezone).spanAt(moment.getTime());
  const minutes = Math.abs(Math.trunc(offset / 60_000));
  const two = (part: number) => String(part).padStart(2, "0");
  const wall = new Date(moment.getTime() + offset).toISOString().replace(/(\.000)?Z$/, "");
  return `${wall}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function loadTimeZone(name: string): TimeZone {
  const isUtc = typeof name === "string" && /^(etc\/)?utc$/i.test(name);
  const offsetAt = isUtc ? () => 0 : intlOffsets(name);
  const spansOfBlock = boundedCache(
    MAX_CACHED_BLOCKS,
    (block: number) => findSpans(offsetAt, block * BLOCK - DAY, (block + 1) * BLOCK),
  );
  return {
    spanAt(instant) {
      for (const span of spansOfBlock(Math.floor(instant / BLOCK))) {
        if (instant < span.end) return span;
      }
      throw new RangeError(`timezone: no offset of ${name} is known at ${instant}`);
    },
  };
}

function intlOffsets(name: string): OffsetAt {
  // Intl accepts abbreviations and "+05:30" too, and some runtimes accept more of them than others.
  if (typeof name !== "string" || !isPlace(name)) throw unknownZone(name);
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch {
    throw unknownZone(name);
  }
  return (instant) => readOffset(format.format(instant));
}

function unknownZone(name: unknown): RangeError {
  const shown = String(name).slice(0, 64);
  const near = nearZones(shown);
  return new RangeError(
    `timezone: unknown IANA time zone "${shown}"; it has to be UTC or a place, such as ` +
      `Europe/London${near.length > 0 ? `; did you mean ${near.join(" or ")}?` : ""}`,
  );
}

/** Reads the "GMT-05:00" at the end of "3/8/2026, GMT-05:00"; seconds occur before 1972. */
function readOffset(text: string): number {
  const match = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(text);
  if (match === null) throw new Error(`no offset from UTC in "${text}"`);
  const [, sign, hours = 0, minutes = 0, seconds = 0] = match;
  const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * SECOND;
  return sign === "-" ? -size : size;
}

/** The spans from `from` to `to`, in order and without holes. */
function findSpans(offsetAt: OffsetAt, from: number, to: number): OffsetSpan[] {
  const spans: OffsetSpan[] = [];
  let start = from;
  let offset = offsetAt(from);
  let previousOffset = offset;
  for (let sampled = from; sampled < to;) {
    const next = Math.min(sampled + SAMPLE, to);
    if (offsetAt(next) === offset) {
      sampled = next;
      continue;
    }
    const end = findChange(offsetAt, offset, sampled, next);
    spans.push({ start, end, offset, previousOffset });
    previousOffset = offset;
    offset = offsetAt(end);
    start = sampled = end;
  }
  if (start < to) spans.push({ start, end: to, offset, previousOffset });
  return spans;
}

/** Finds the second at which the offset changes; it is `offset` at `from` and differs at `to`. */
function findChange(offsetAt: OffsetAt, offset: number, from: number, to: number): number {
  let before = from;
  let after = to;
  while (after - before > SECOND) {
    const middle = before + Math.floor((after - before) / SECOND / 2) * SECOND;
    if (offsetAt(middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}
