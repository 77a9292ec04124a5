/** Durations in options: a number of milliseconds, or text such as '30s'. */

import { showValue } from "./inspect.ts";

/** A whole number of milliseconds, or a whole number with a unit: '250ms', '30s', '10m', '24h', '7d'. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

/** The longest duration, in ms: 100 years, which a Date and a timestamptz can add to the current time. */
export const MAX_DURATION_MS = 36_525 * 86_400_000;

const TEXT = /^(\d+)(ms|s|m|h|d)$/;

const UNITS = new Map([["ms", 1], ["s", 1_000], ["m", 60_000], ["h", 3_600_000], [
  "d",
  86_400_000,
]]);

/**
 * Turns a duration into whole milliseconds.
 * @param field name of the option in an error
 * @param longestMs longest duration that is taken, in ms: whole days; default: 100 years
 * @throws RangeError that names the field, if the value is no duration or longer than that
 */
export function parseDuration(
  value: unknown,
  field: string,
  longestMs: number = MAX_DURATION_MS,
): number {
  const ms = typeof value === "string" ? parseText(value) : value;
  if (typeof ms !== "number" || !(ms >= 0) || ms % 1 > 0) {
    // Of "30" alone, its reader would think that it is a whole number.
    const number = typeof value === "string" && /^\d+$/.test(value)
      ? ""
      : "a whole number of milliseconds, 0 or more, or ";
    throw new RangeError(
      `${field}: has to be ${number}text with a unit like ` +
        `'250ms', '30s', '10m', '24h', '7d'; got ${showValue(value)}`,
    );
  }
  if (ms > longestMs) {
    const longest = longestMs === MAX_DURATION_MS ? "100 years" : `${longestMs / 86_400_000} days`;
    throw new RangeError(`${field}: has to be at most ${longest}; got ${showValue(value)}`);
  }
  return ms + 0; // -0 becomes 0
}

function parseText(text: string): number {
  const [, count, unit] = TEXT.exec(text) ?? [];
  return Number(count) * (UNITS.get(unit ?? "") ?? NaN);
}
