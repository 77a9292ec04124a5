/** Checks the options of a schedule. The same rules hold for stored rows, which SQL may have edited. */

import { checkKey, checkMoment } from "../runtime/checks.ts";
import { parseDuration } from "../runtime/duration.ts";
import { readProperty, showValue } from "../runtime/inspect.ts";
import { checkPriority, checkQueue } from "../message/names.ts";
import { checkNames } from "../retry/strategy-options.ts";
import { parseCronExpression } from "./cron-expression.ts";
import type {
  CatchUp,
  Overlap,
  ScheduleOptions,
  ScheduleSettings,
  WhilePaused,
} from "./schedule-options.ts";
import { assertTimeZone } from "./time-zone.ts";

/** A checked schedule: durations and moments in ms, null for options that are not set. */
export interface ScheduleDefinition {
  readonly name: string | null;
  readonly times:
    | { readonly type: "once"; readonly at: number }
    | { readonly type: "cron"; readonly cron: string }
    | { readonly type: "interval"; readonly intervalMs: number };
  readonly timezone: string;
  readonly maxRuns: number | null;
  readonly startAt: number | null;
  readonly endAt: number | null;
  readonly catchUp: CatchUp;
  readonly catchUpLimit: number | null;
  readonly overlap: Overlap;
  readonly whilePaused: WhilePaused;
  readonly jitterMs: number;
  readonly queue: string | null;
  readonly priority: number | null;
  readonly groupKey: string | null;
  readonly ttlMs: number | null;
}

const CONFIG = { once: ["at", "allowPast"], cron: ["cron"], interval: ["interval"] } as const;

const NAMES = [
  ...["type", "config", "timezone", "maxRuns", "startAt", "endAt", "catchUp", "overlap", "jitter"],
  ...["name", "queue", "priority", "groupKey", "ttl", "catchUpLimit", "whilePaused"],
];

/** The shortest interval, in ms: ticks keep time to within a second. */
export const SHORTEST_INTERVAL_MS = 1_000;
/** Upper bound of `catchUpLimit`: the most missed runs that one schedule may make up. */
export const LARGEST_CATCH_UP = 100_000;

const LARGEST_INTEGER = 2_147_483_647;

/**
 * Checks options and fills in defaults. Only the database's clock can tell whether a moment has passed.
 * @param given the options that must have an effect. A stored schedule may keep others for later, such as
 * a time zone while it runs at an interval.
 * @throws RangeError that names the wrong, unknown or ineffective option
 */
export function checkSchedule(
  options: ScheduleOptions,
  given: { readonly [Name in keyof ScheduleSettings]?: unknown } = options,
): ScheduleDefinition {
  checkScheduleNames(options);
  const optional = <T>(
    name: keyof ScheduleSettings,
    check: (value: unknown, field: string) => T,
  ): T | null => options[name] === undefined ? null : check(options[name], name);

  const startAt = optional("startAt", checkMoment);
  const endAt = optional("endAt", checkMoment);
  if (startAt !== null && endAt !== null && endAt < startAt) {
    throw new RangeError("endAt: has to come after startAt");
  }
  const jitterMs = optional("jitter", parseDuration) ?? 0;
  const ttlMs = optional("ttl", checkSpan);
  if (ttlMs !== null && ttlMs <= jitterMs) {
    throw new RangeError(
      `ttl: has to be longer than the jitter of ${jitterMs} ms (was ${ttlMs} ms)`,
    );
  }
  const times = checkTimes(options);
  checkEffects(options, given);
  return {
    name: optional("name", checkScheduleName),
    times,
    timezone: optional("timezone", checkTimezone) ?? "UTC",
    maxRuns: optional("maxRuns", wholeNumber(LARGEST_INTEGER)),
    startAt,
    endAt,
    catchUp: optional("catchUp", oneOf("latest", "all", "none")) ?? "latest",
    catchUpLimit: optional("catchUpLimit", wholeNumber(LARGEST_CATCH_UP)),
    overlap: optional("overlap", oneOf("allow", "skip")) ?? "allow",
    whilePaused: optional("whilePaused", oneOf("enqueue", "skip")) ?? "enqueue",
    jitterMs,
    queue: optional("queue", (value, field) => checkQueue(value, field)),
    priority: optional("priority", checkPriority),
    groupKey: optional("groupKey", checkKey),
    ttlMs,
  };
}

/**
 * Checks the names of options, and of those in `config` if there is one of a known type.
 * @param prefix text before an option's name in an error
 * @throws RangeError that names the unknown option
 */
export function checkScheduleNames(options: ScheduleOptions, prefix = ""): void {
  checkNames(options, NAMES, prefix);
  const { type, config } = options;
  if (typeof config === "object" && config !== null && Object.hasOwn(CONFIG, type)) {
    checkNames(config, CONFIG[type], `${prefix}config.`);
  }
}

/** Refuses options without an effect. An option that equals its default contradicts nothing. */
function checkEffects(
  { type, catchUp }: ScheduleOptions,
  given: { readonly [Name in keyof ScheduleSettings]?: unknown },
): void {
  const isGiven = (name: keyof ScheduleSettings, usual?: unknown) =>
    given[name] !== undefined && given[name] !== null && given[name] !== usual;
  const refuse = (message: string) => {
    throw new RangeError(message);
  };
  if (isGiven("timezone", "UTC") && type !== "cron") {
    refuse(`timezone: has an effect on cron schedules only; this one has the type ${type}`);
  }
  if (isGiven("maxRuns") && type === "once") refuse("maxRuns: a schedule of type once runs once");
  if (isGiven("overlap", "allow") && type === "once") {
    refuse("overlap: a schedule of type once has no run before its only one");
  }
  if (isGiven("catchUpLimit") && catchUp !== "all") {
    refuse("catchUpLimit: has an effect with catchUp all only");
  }
}

function checkTimes(options: ScheduleOptions): ScheduleDefinition["times"] {
  const type = oneOf("once", "cron", "interval")(options.type, "type");
  if (typeof options.config !== "object" || options.config === null) {
    throw new RangeError(`config: has to be an object; got ${showValue(options.config)}`);
  }
  const value = (name: string) => readProperty(options.config, name);
  switch (type) {
    case "once":
      return { type, at: checkMoment(value("at"), "config.at") };
    case "cron":
      return { type, cron: checkCron(value("cron")) };
    case "interval":
      return { type, intervalMs: checkInterval(value("interval"), "config.interval") };
  }
}

function checkCron(value: unknown): string {
  if (typeof value !== "string") {
    throw new RangeError(`config.cron: has to be a cron expression; got ${showValue(value)}`);
  }
  try {
    parseCronExpression(value);
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`config.${error.message}`) : error;
  }
  return value;
}

/** @throws RangeError that names the field, if the value is no duration or 0 */
function checkSpan(value: unknown, field: string): number {
  const ms = parseDuration(value, field);
  if (ms === 0) throw new RangeError(`${field}: has to be more than 0`);
  return ms;
}

function checkInterval(value: unknown, field: string): number {
  const ms = parseDuration(value, field);
  if (ms < SHORTEST_INTERVAL_MS) {
    throw new RangeError(`${field}: has to be at least 1 second; got ${showValue(value)}`);
  }
  return ms;
}

function checkTimezone(value: unknown, field: string): string {
  if (typeof value !== "string") {
    throw new RangeError(`${field}: has to be an IANA time zone; got ${showValue(value)}`);
  }
  assertTimeZone(value);
  return value;
}

function wholeNumber(largest: number): (value: unknown, field: string) => number {
  return (value, field) => {
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= largest) {
      return value;
    }
    throw new RangeError(
      `${field}: has to be a whole number from 1 to ${largest}; got ${showValue(value)}`,
    );
  };
}

function checkScheduleName(value: unknown, field: string): string {
  if (typeof value !== "string" || !/^[^\p{Cc}\p{Cs}]{1,200}$/u.test(value)) {
    throw new RangeError(`${field}: has to be 1 to 200 characters; got ${showValue(value)}`);
  }
  return value;
}

function oneOf<const T extends string>(...allowed: T[]): (value: unknown, field: string) => T {
  return (value, field) => {
    const found = allowed.find((name) => name === value);
    if (found !== undefined) return found;
    throw new RangeError(
      `${field}: has to be one of ${allowed.join(", ")}; got ${showValue(value)}`,
    );
  };
}
