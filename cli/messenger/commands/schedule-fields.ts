/** A schedule on the command line: its options, and the path of one by its id or name. */

import { Option } from "commander";
import { type Context, number, numberOrNone, orNull, pathTo, text } from "../context.ts";
import { ApiError, UsageError } from "../../errors.ts";
import { parseMoment } from "../times.ts";

/** Options of a schedule. */
export interface Timing {
  cron?: string;
  every?: string;
  at?: string;
  timezone?: string;
  maxRuns?: number | "none";
  startAt?: string;
  endAt?: string;
  catchUp?: string;
  catchUpLimit?: number | "none";
  overlap?: string;
  whilePaused?: string;
  jitter?: string;
  ttl?: string;
  queue?: string;
  priority?: number;
  groupKey?: string;
  name?: string;
  payload?: string;
}

/** When a schedule runs, and how. */
export const timing = () => [
  text("--cron <expression>", "at the times of a cron expression"),
  text("--every <duration>", "each time so long after the one before: 30s, 5m, 24h"),
  text("--at <time>", "once: an ISO time, 2h, tomorrow"),
  text("--timezone <zone>", "of the cron expression, such as Europe/Berlin"),
  numberOrNone("--max-runs <n>", "largest number of runs, or none for no limit"),
  text("--start-at <time>", "no run before, or none"),
  text("--end-at <time>", "no run after, or none"),
  new Option("--catch-up <how>", "what becomes of runs that were missed").choices([
    "latest",
    "all",
    "none",
  ]),
  numberOrNone(
    "--catch-up-limit <n>",
    "with all: largest number of missed runs that are made up, or none for 1,000",
  ),
  new Option("--overlap <how>", "whether a run may come while the last one is not done").choices([
    "allow",
    "skip",
  ]),
  new Option("--while-paused <how>", "what becomes of runs while their queue is paused").choices([
    "enqueue",
    "skip",
  ]),
  text("--jitter <duration>", "spreads runs"),
  text("--ttl <duration>", "how long a run's message matters, or none"),
  text("--queue <queue>", "queue of its messages"),
  number("--priority <n>", "priority of its messages"),
  text("--group-key <key>", "group of its messages"),
];

/** By id or name; digits are an id where a schedule has it, and a name otherwise. */
export async function pathOf(context: Context, named: string): Promise<string> {
  const path = pathTo("schedules", named);
  if (/^\d{1,18}$/.test(named)) {
    const isThere = await context.call("GET", path).then(() => true, (error) => {
      if (error instanceof ApiError && error.status === 404) return false;
      throw error;
    });
    if (isThere) return path;
  }
  const search = new URLSearchParams({ name: named, limit: "1" });
  const { body } = await context.call("GET", `/schedules?${search}`);
  const [found] = body.schedules as { id: string }[];
  if (found) return `/schedules/${found.id}`;
  throw new ApiError(404, "not_found", `there is no schedule with the id or name ${named}`);
}

/** The fields of the API for the given options: those beside a schedule, and those of the schedule. */
export function fieldsOf(context: Context, options: Timing) {
  const { cron, every, at, queue, priority, groupKey } = options;
  const { timezone, maxRuns, catchUp, catchUpLimit, overlap, whilePaused } = options;
  const { jitter, ttl, startAt, endAt } = options;
  if ([cron, every, at].filter((given) => given !== undefined).length > 1) {
    throw new UsageError("give only one of --cron, --every, --at");
  }
  const moment = (text: string, option: string) =>
    parseMoment(text, option, context.io.now(), "in").toISOString();
  const bound = (text: string | undefined, option: string) =>
    text === undefined || text === "none" ? orNull(text) : moment(text, option);
  return {
    message: defined({ queue, priority, groupKey }),
    schedule: defined({
      ...(cron !== undefined && { type: "cron", config: { cron } }),
      ...(every !== undefined && { type: "interval", config: { interval: every } }),
      ...(at !== undefined && { type: "once", config: { at: moment(at, "at") } }),
      ...{ timezone, catchUp, overlap, whilePaused, jitter },
      maxRuns: orNull(maxRuns),
      catchUpLimit: orNull(catchUpLimit),
      ttl: orNull(ttl),
      startAt: bound(startAt, "start-at"),
      endAt: bound(endAt, "end-at"),
    }),
  };
}

/** Drops fields that are null: a new schedule names only the settings that it has. */
export function withoutNull(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
