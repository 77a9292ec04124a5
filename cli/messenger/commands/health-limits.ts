/** The limits of the health, as options of commands. */

import type { Option } from "commander";
import { number, text } from "../context.ts";

/** Limits as they are given. */
export interface Limits {
  readonly maxTickAge?: string;
  readonly maxReadyAge?: string;
  readonly maxScheduleAge?: string;
  readonly maxDeadLetters?: number;
}

/** The options. */
export function limits(): Option[] {
  return [
    text("--max-tick-age <duration>", "how long ago the last tick may have begun (3m)"),
    text("--max-ready-age <duration>", "how long a due message may have waited (5m)"),
    text("--max-schedule-age <duration>", "how long a schedule may be overdue (5m)"),
    number("--max-dead-letters <n>", "in the last hour; any number if left out"),
  ];
}

/** The limits that are given, as the query of GET /health. */
export function toSearch(options: Limits): string {
  const search = new URLSearchParams();
  for (const name of ["maxTickAge", "maxReadyAge", "maxScheduleAge", "maxDeadLetters"] as const) {
    const value = options[name];
    if (value !== undefined) search.set(name, String(value));
  }
  return search.toString();
}
