/** A day of the calendar: its bounds, and the places of times in it. Pure. */

/** Whose day it is: that of UTC, or that of the operator's own zone. */
export type CalendarZone = "utc" | "local";

/** A day. */
export interface CalendarDay {
  /** `2026-11-27` */
  readonly date: string;
  readonly zone: CalendarZone;
  /** In ms since 1970; a day may have 23 or 25 hours. */
  readonly start: number;
  readonly end: number;
}

/** The day of a date, or of now if it is no date. */
export function dayOf(date: string | null, zone: CalendarZone, now: number): CalendarDay {
  const [year, month, day] = (isDate(date) ? date : dateAt(now, zone)).split("-").map(Number);
  const midnight = (offset: number) =>
    zone === "utc"
      ? Date.UTC(year ?? 0, (month ?? 1) - 1, (day ?? 1) + offset)
      : new Date(year ?? 0, (month ?? 1) - 1, (day ?? 1) + offset).getTime();
  return { date: dateAt(midnight(0), zone), zone, start: midnight(0), end: midnight(1) };
}

function isDate(date: string | null): date is string {
  return date !== null && /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(Date.parse(date));
}

/** The date of a moment. */
export function dateAt(moment: number, zone: CalendarZone): string {
  return textAt(moment, zone).slice(0, 10);
}

/** The time of a moment, `09:00`. */
export function timeAt(moment: number, zone: CalendarZone): string {
  const text = textAt(moment, zone);
  return text.slice(17, 19) === "00" ? text.slice(11, 16) : text.slice(11, 19);
}

function textAt(moment: number, zone: CalendarZone): string {
  const offset = zone === "utc" ? 0 : new Date(moment).getTimezoneOffset() * 60_000;
  return new Date(moment - offset).toISOString();
}

/** The date some days later. */
export function dateAfter({ date, zone, start }: CalendarDay, days: number): string {
  const [year, month, day] = date.split("-").map(Number);
  if (year === undefined || month === undefined || day === undefined) return dateAt(start, zone);
  return new Date(Date.UTC(year, month - 1, day + days)).toISOString().slice(0, 10);
}

/** Where a moment is in the day: 0 at its start, 1 at its end. */
export function placeIn({ start, end }: CalendarDay, moment: number): number {
  return (moment - start) / (end - start);
}
