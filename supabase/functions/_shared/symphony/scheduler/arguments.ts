/** Checks and compares arguments of the scheduler's methods. */

import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { ScheduleOptions } from "./schedule-options.ts";
import type { DueSchedule, Schedule, ScheduledMessage } from "./schedule.ts";
import type { ScheduleFilter } from "./store.ts";

/** The schedule without its stamps, which are not shown. */
export function withoutStamps({ stamps: _, ...schedule }: DueSchedule): Schedule {
  return schedule;
}

/** @throws RangeError that names the wrong part */
export function checkMessage(message: ScheduledMessage): ScheduledMessage {
  if (typeof message !== "object" || message === null) {
    throw new RangeError(`message: has to be { type, payload }; got ${showValue(message)}`);
  }
  checkNames(message, ["type", "payload"], "message: ");
  const { type, payload } = message;
  if (typeof type !== "string" || type.length < 1 || type.length > 200) {
    throw new RangeError(`type: has to be the name of a message type; got ${showValue(type)}`);
  }
  return { type, payload };
}

/**
 * Refuses a jitter as long as the time to live: such a message could expire before it runs.
 * @param ttlMs of the message's type
 * @throws RangeError that names the jitter
 */
export function checkLifetime(
  definition: { readonly jitterMs: number; readonly ttlMs: number | null },
  ttlMs?: number,
): void {
  const { jitterMs } = definition;
  if (definition.ttlMs !== null || ttlMs === undefined || ttlMs > jitterMs) return;
  throw new RangeError(
    `jitter: has to be shorter than the type's ttl of ${ttlMs} ms (was ${jitterMs} ms)`,
  );
}

/** @throws RangeError that names the field */
export function checkId(id: string, field = "id"): string {
  if (typeof id !== "string" || !/^\d{1,18}$/.test(id)) {
    throw new RangeError(`${field}: has to be the id of a schedule; got ${showValue(id)}`);
  }
  return id;
}

/** @throws RangeError that names the field */
export function checkCount(count: number, field: string): number {
  if (!Number.isInteger(count) || count < 1 || count > 1_000_000) {
    throw new RangeError(`${field}: has to be a whole number, 1 or more; got ${showValue(count)}`);
  }
  return count;
}

const FILTER = Object.keys(
  {
    ids: true,
    name: true,
    messageType: true,
    enabled: true,
    after: true,
    limit: true,
  } satisfies Record<keyof ScheduleFilter, true>,
);

/** @throws RangeError that names the wrong part of a filter of schedules */
export function checkScheduleFilter(filter: ScheduleFilter): ScheduleFilter {
  checkNames(filter, FILTER);
  for (const id of filter.ids ?? []) checkId(id, "ids");
  if (filter.after !== undefined) checkId(filter.after, "after");
  if (filter.limit !== undefined) checkCount(filter.limit, "limit");
  return filter;
}

/** Tells whether a single run may be in the past. */
export function allowsPast(options: ScheduleOptions): boolean {
  return options.type === "once" && options.config.allowPast === true;
}

/** A text of the options that decide when a schedule runs, for comparisons. */
export function timesOf({ type, config, timezone, startAt }: ScheduleOptions): string {
  return JSON.stringify([type, config, timezone, startAt]);
}

/** Options without those that are null. */
export function withoutNulls(options: object): ScheduleOptions {
  const given = Object.entries(options).filter(([, value]) => value !== null);
  return Object.fromEntries(given) as ScheduleOptions;
}
