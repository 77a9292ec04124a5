// Parses a cron expression into the values of its five fields.
import { boundedCache } from "./bounded-cache.ts";

/** A cron expression as sets of values. Numbers are in the units of their field. */
export interface CronExpression {
  /** Ascending, 0..59. */
  readonly minutes: readonly number[];
  /** Ascending, 0..23. */
  readonly hours: readonly number[];
  /** 1..31. */
  readonly daysOfMonth: ReadonlySet<number>;
  /** 1..12. */
  readonly months: ReadonlySet<number>;
  /** 0 (Sunday)..6. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Both day fields are restricted: a day then has to match only one of them. */
  readonly eitherDay: boolean;
  /** The minute or the hour starts with `*`: the job follows real time, and not the wall clock. */
  readonly followsRealTime: boolean;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Three-letter names; the first one stands for `min`. */
  readonly names?: readonly string[];
}

const MINUTE: Field = { name: "minute", min: 0, max: 59 };
const HOUR: Field = { name: "hour", min: 0, max: 23 };
const DAY_OF_MONTH: Field = { name: "day-of-month", min: 1, max: 31 };
const MONTH: Field = {
  name: "month",
  min: 1,
  max: 12,
  names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAY_OF_WEEK: Field = {
  name: "day-of-week",
  min: 0,
  max: 7,
  names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

const MAX_LENGTH = 120;
const MAX_CACHED_EXPRESSIONS = 1_000;
const LONGEST_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** `*`, `a` or `a-b`, and an optional `/step`. */
const ITEM = /^(?:\*|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:\/(\d{1,2}))?$/i;

const parseCached = boundedCache(MAX_CACHED_EXPRESSIONS, parse);

/**
 * Parses five fields separated by spaces or tabs, or a nickname such as `@daily`, in any letter case.
 * The syntax is that of crontab(5); day 7 is Sunday, and `sun` at the end of a range is 7 (`fri-sun`).
 *
 * Throws a RangeError that starts with `cron:` for other texts, and for an expression that never fires,
 * such as one for February 30.
 */
export function parseCronExpression(expression: string): CronExpression {
  if (typeof expression !== "string") throw new RangeError("cron: must be a string");
  if (expression.length > MAX_LENGTH) {
    throw new RangeError(`cron: must be at most ${MAX_LENGTH} characters long`);
  }
  return parseCached(expression);
}

function parse(expression: string): CronExpression {
  // Before lower-casing: some characters outside of ASCII have a lower case inside it.
  if (!/^[\t\x20-\x7e]*$/.test(expression)) {
    throw new RangeError("cron: must contain only ASCII characters, on one line");
  }
  const text = expression.replace(/^[ \t]+|[ \t]+$/g, "");
  const fields = (NICKNAMES.get(text.toLowerCase()) ?? text).split(/[ \t]+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields;
  if (
    fields.length !== 5 || minute === undefined || hour === undefined ||
    dayOfMonth === undefined || month === undefined || dayOfWeek === undefined
  ) {
    throw new RangeError(
      `cron: must have five fields or be a nickname such as @daily, but is "${expression}"`,
    );
  }
  const cron: CronExpression = {
    minutes: parseField(minute, MINUTE).sort((a, b) => a - b),
    hours: parseField(hour, HOUR).sort((a, b) => a - b),
    daysOfMonth: new Set(parseField(dayOfMonth, DAY_OF_MONTH)),
    months: new Set(parseField(month, MONTH)),
    daysOfWeek: new Set(parseField(dayOfWeek, DAY_OF_WEEK).map((day) => day % 7)),
    eitherDay: !dayOfMonth.startsWith("*") && !dayOfWeek.startsWith("*"),
    followsRealTime: minute.startsWith("*") || hour.startsWith("*"),
  };
  if (!canFire(cron)) {
    throw new RangeError(`cron: "${expression}" never fires, its months have no such day`);
  }
  return cron;
}

function parseField(text: string, field: Field): number[] {
  const values = new Set(text.split(",").flatMap((item) => parseItem(item, field)));
  return [...values];
}

function parseItem(item: string, field: Field): number[] {
  const problem = (what: string) =>
    new RangeError(`cron: the ${field.name} field has "${item}", ${what}`);
  const match = ITEM.exec(item);
  if (match === null) throw problem("which is not a value, a range or a step");

  const [, first, last, stepText] = match;
  if (first !== undefined && last === undefined && stepText !== undefined) {
    throw problem("but a step needs a range or *");
  }
  const from = first === undefined ? field.min : parseValue(first, field, false);
  const to = first === undefined ? field.max : parseValue(last ?? first, field, last !== undefined);
  if (from === undefined || to === undefined) throw problem("which is not a name of this field");
  if (from < field.min || to > field.max) {
    throw problem(`but values go from ${field.min} to ${field.max}`);
  }
  if (from > to) throw problem("but a range must not run backwards");

  const step = Number(stepText ?? 1);
  if (step < 1 || step > field.max) throw problem(`but steps go from 1 to ${field.max}`);

  const values: number[] = [];
  for (let value = from; value <= to; value += step) values.push(value);
  return values;
}

/** The number that `text` means; undefined for an unknown name. */
function parseValue(text: string, field: Field, endsRange: boolean): number | undefined {
  if (/^\d/.test(text)) return Number(text);
  const index = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (index < 0) return undefined;
  if (endsRange && field === DAY_OF_WEEK && index === 0) return 7;
  return field.min + index;
}

/**
 * Tells whether some date matches. Over the calendar's 400 years every date, February 29 included, falls
 * on every weekday, so only the day of the month can be impossible.
 */
function canFire(cron: CronExpression): boolean {
  if (cron.eitherDay) return true;
  return LONGEST_MONTHS.some((length, index) =>
    cron.months.has(index + 1) && Math.min(...cron.daysOfMonth) <= length
  );
}
