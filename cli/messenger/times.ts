/** Times and durations, as people write and read them. Pure: the present is given. */

import { UsageError } from "../errors.ts";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** Every way to write a unit: `3 months` must not be read as three minutes. */
const UNIT_NAMES: Readonly<Record<string, string>> = {
  ms: "milliseconds|millisecond|millis|msecs|msec|ms",
  s: "seconds|second|secs|sec|s",
  m: "minutes|minute|mins|min|m",
  h: "hours|hour|hrs|hr|h",
  d: "days|day|d",
  w: "weeks|week|w",
};
const UNIT_OF = new Map(
  Object.entries(UNIT_NAMES).flatMap(([unit, names]) =>
    names.split("|").map((name) => [name, unit])
  ),
);
const LENGTH = new RegExp(
  `^(in\\s+)?(\\d+(?:\\.\\d+)?)\\s*(${[...UNIT_OF.keys()].join("|")})(\\s+ago)?$`,
);
const DAYS: Readonly<Record<string, number>> = { yesterday: -1, today: 0, tomorrow: 1 };
const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * A moment: an ISO time or date (UTC without a zone), `now`, `today`, `yesterday`, `tomorrow` (midnight UTC),
 * or a duration: `2h ago`, `in 2h`; alone it lies where `bare` says.
 * @param option for the error
 * @throws UsageError that names the option
 */
export function parseMoment(text: string, option: string, now: Date, bare: "ago" | "in"): Date {
  const given = text.trim().toLowerCase();
  if (given === "now") return now;
  const days = DAYS[given];
  if (days !== undefined) {
    return new Date(
      Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + days),
    );
  }
  const [, ahead, length, name, ago] = LENGTH.exec(given) ?? [];
  if (length !== undefined && name !== undefined && !(ahead && ago)) {
    const unit = UNIT_OF.get(name) ?? "";
    const isAgo = ago !== undefined || ahead === undefined && bare === "ago";
    return checked(
      now.getTime() + (isAgo ? -1 : 1) * Number(length) * (UNITS[unit] ?? NaN),
      option,
      text,
    );
  }
  if (ISO.test(text.trim())) {
    const iso = text.trim().replace(" ", "T");
    const [year = 0, month = 0, day = 0] = iso.slice(0, 10).split("-").map(Number);
    // Date.parse reads 30 February as 2 March.
    if (day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return checked(NaN, option, text);
    const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(iso) || !iso.includes("T") ? iso : `${iso}Z`;
    return checked(Date.parse(zoned), option, text);
  }
  return checked(NaN, option, text);
}

const FIRST_MOMENT = Date.parse("0001-01-01T00:00:00Z");
const LAST_MOMENT = Date.parse("9999-12-31T23:59:59.999Z");

/** The API takes the years 1 to 9999. */
function checked(time: number, option: string, text: string): Date {
  if (time >= FIRST_MOMENT && time <= LAST_MOMENT) return new Date(time);
  throw new UsageError(
    `--${option}: is no time (${
      JSON.stringify(text)
    }); expected one like 2026-11-22, 2026-11-22T10:00:00Z, 2h, "2h ago", yesterday`,
  );
}

/** A duration as people read it: `250 ms`, `1.2 s`, `3 m`, `2 h 5 m`, `4 d`. */
export function showDuration(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1000) return `${Math.round(ms)} ms`;
  if (size < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  const sign = ms < 0 ? "-" : "";
  const minutes = Math.round(size / 60_000);
  if (minutes < 60) return `${sign}${minutes} m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${sign}${hours} h${minutes % 60 === 0 ? "" : ` ${minutes % 60} m`}`;
  return `${sign}${Math.round(hours / 24)} d`;
}

/** A duration that somebody has set, nothing of it rounded: `1.5 s`, `1 m 30 s`, `1 d 1 h`. */
export function showExactDuration(ms: number): string {
  if (ms < 1000) return `${ms} ms`;
  const seconds = ms / 1000;
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const parts = [
    `${days} d`,
    `${hours} h`,
    `${Math.floor(seconds / 60) % 60} m`,
    `${Number((seconds % 60).toFixed(3))} s`,
  ];
  return parts.filter((part) => !part.startsWith("0 ")).join(" ");
}

/** How far a moment lies from the present: `3 m ago`, `in 2 h`. */
export function showRelative(moment: Date, now: Date): string {
  const ms = moment.getTime() - now.getTime();
  return ms > 0 ? `in ${showDuration(ms)}` : `${showDuration(-ms)} ago`;
}

/** The moment with its zone, to the second. */
export function showMoment(moment: Date): string {
  return moment.toISOString().replace("T", " ").replace(/\.\d+Z$/, "Z");
}
