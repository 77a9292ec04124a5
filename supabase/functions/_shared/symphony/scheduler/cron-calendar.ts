// Finds the dates and times that a cron expression matches on the wall clock, without any zone.
//
// A wall-clock time is a number: the milliseconds since 1970 that UTC would have shown at it.
import type { CronExpression } from "./cron-expression.ts";

/** One minute, in milliseconds. */
export const MINUTE = 60_000;
/** One day, in milliseconds. */
export const DAY = 86_400_000;

const MINUTES_PER_HOUR = 60;
const DAYS_PER_WEEK = 7;
/** 1970-01-01, day 0, was a Thursday. */
const WEEKDAY_OF_DAY_0 = 4;

/**
 * The first whole minute at or after the wall-clock time `wall` that the expression matches. There is
 * always one within 40 years: February 29 on a given weekday, across a century.
 */
export function nextMatch(cron: CronExpression, wall: number): number {
  const from = Math.ceil(wall / MINUTE) * MINUTE;
  const today = Math.floor(from / DAY);
  const day = firstMatchingDay(cron, today);
  const time = firstMatchingTime(cron, day === today ? (from - today * DAY) / MINUTE : 0);
  if (time === undefined) return nextMatch(cron, (today + 1) * DAY); // no time left today
  return day * DAY + time * MINUTE;
}

/** Counts the matching whole minutes from the wall-clock time `from` up to, but not including, `to`. */
export function countMatches(cron: CronExpression, from: number, to: number): number {
  const firstMinute = Math.ceil(from / MINUTE);
  const endMinute = Math.ceil(to / MINUTE);
  const minutesPerDay = DAY / MINUTE;
  let count = 0;
  for (let day = Math.floor(firstMinute / minutesPerDay); day * minutesPerDay < endMinute; day++) {
    const date = new Date(day * DAY);
    if (!cron.months.has(date.getUTCMonth() + 1) || !matchesDay(cron, date.getUTCDate(), day)) {
      continue;
    }
    const start = day * minutesPerDay;
    count += countTimes(cron, Math.max(0, firstMinute - start), endMinute - start);
  }
  return count;
}

/** Counts the matching minutes of a day, from the minute `from` up to, but not including, `to`. */
function countTimes(cron: CronExpression, from: number, to: number): number {
  if (from === 0 && to >= DAY / MINUTE) return cron.hours.length * cron.minutes.length;
  const times = cron.hours.map((hour) =>
    cron.minutes.filter((minute) => {
      const time = hour * MINUTES_PER_HOUR + minute;
      return time >= from && time < to;
    }).length
  );
  return times.reduce((sum, some) => sum + some, 0);
}

/** The first matching day at or after `fromDay`; days are counted from 1970-01-01. */
function firstMatchingDay(cron: CronExpression, fromDay: number): number {
  let day = fromDay;
  for (;;) {
    const date = new Date(day * DAY);
    const month = date.getUTCMonth() + 1;
    const nextMonth = day + daysLeftInMonth(date);
    if (cron.months.has(month)) {
      for (let dayOfMonth = date.getUTCDate(); day < nextMonth; day++, dayOfMonth++) {
        if (matchesDay(cron, dayOfMonth, day)) return day;
      }
    }
    day = nextMonth;
  }
}

function matchesDay(cron: CronExpression, dayOfMonth: number, day: number): boolean {
  const inMonth = cron.daysOfMonth.has(dayOfMonth);
  const inWeek = cron.daysOfWeek.has(modulo(day + WEEKDAY_OF_DAY_0, DAYS_PER_WEEK));
  return cron.eitherDay ? inMonth || inWeek : inMonth && inWeek;
}

/** Number of days from `date` to the end of its month, both included. */
function daysLeftInMonth(date: Date): number {
  const lastOfMonth = new Date(date);
  lastOfMonth.setUTCMonth(date.getUTCMonth() + 1, 0);
  return lastOfMonth.getUTCDate() - date.getUTCDate() + 1;
}

/** The first matching minute of a day at or after the minute `from`, 0..1439. */
function firstMatchingTime(cron: CronExpression, from: number): number | undefined {
  const fromHour = Math.floor(from / MINUTES_PER_HOUR);
  const fromMinute = from % MINUTES_PER_HOUR;
  for (const hour of cron.hours) {
    if (hour < fromHour) continue;
    const minute = hour > fromHour
      ? cron.minutes[0]
      : cron.minutes.find((candidate) => candidate >= fromMinute);
    if (minute !== undefined) return hour * MINUTES_PER_HOUR + minute;
  }
  return undefined;
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
