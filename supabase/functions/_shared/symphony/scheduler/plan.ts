/** Plans one due schedule in a tick: the runs to make now, and the time of the next one. Pure. */

import type { OutgoingMessage } from "../message/envelope.ts";
import type { CatchUp } from "./schedule-options.ts";
import { firstOccurrence, type Note } from "./planned.ts";
import type { Schedule } from "./schedule.ts";
import {
  countOccurrences,
  firstOfLatest,
  latestOccurrence,
  nextOccurrence,
  type Timing,
} from "./timing.ts";

/** The plan for a schedule in a tick. Moments are in ms since 1970. */
export interface Plan {
  /** Runs to make now. */
  readonly runs: readonly PlannedRun[];
  /** Skipped occurrences, recorded under the first of them. */
  readonly missed: { readonly occurrence: number; readonly reason: string } | null;
  /** A note for the record of runs. */
  readonly note: Note | null;
  /** Planned time of the next run, which may be due too; null if the schedule is disabled. */
  readonly nextRunAt: number | null;
  readonly disabled: { readonly by: "finished" | "invalid"; readonly reason: string } | null;
}

/** A run to make. */
export interface PlannedRun {
  readonly occurrence: number;
  /** Delay of its message, in ms. */
  readonly delayMs: number;
}

/** A run to write. */
export interface Run extends PlannedRun {
  /** Its message; default: the store makes it from the schedule. */
  readonly message?: OutgoingMessage;
  /** Why it has no message. */
  readonly failed?: string;
}

/** The result of a tick's work on a schedule, to be written. */
export interface Advance {
  readonly schedule: Schedule;
  readonly plan: Plan;
  /** Runs with their messages, instead of the plan's. */
  readonly runs: readonly Run[];
  /** Whether the latest message had a problem; null if there was no message. */
  readonly failing: boolean | null;
  /** Why and for how long, in ms, no tick claims the schedule again. */
  readonly putOff?: { readonly ms: number; readonly reason: string };
}

/**
 * With catchUp 'none': how late an occurrence may be found and still run, in ms. The minute's tick may be
 * late or missing without a missed occurrence.
 */
export const ON_TIME_MS = 120_000;

/** Default of `catchUpLimit`, with catchUp 'all', and the most that callers without a secret key may choose. */
export const CATCH_UP_LIMIT = 1_000;

/** The column of each option, by their names in errors. */
const COLUMNS = new Map([
  ["config.at", "run_at"],
  ["config.cron", "cron"],
  ["config.interval", "interval_ms"],
  ["startAt", "start_at"],
  ["endAt", "end_at"],
  ["maxRuns", "max_runs"],
  ["catchUpLimit", "catch_up_limit"],
]);

/**
 * Plans the runs of one schedule. A schedule that cannot be read is disabled with a reason; no error is thrown.
 * @param options.now the database's clock, in ms since 1970
 * @param options.limit largest number of runs; further runs are due again at once
 * @param options.random a number from 0 to less than 1, for the jitter
 */
export function planRuns(
  schedule: Schedule,
  options: { readonly now: number; readonly limit: number; readonly random: () => number },
): Plan {
  try {
    const { timing, first, note } = firstOccurrence(schedule, options.now);
    const plan = first === null || first > timing.until
      ? finish(schedule)
      : first > options.now
      ? { runs: [], missed: null, nextRunAt: first, disabled: null }
      : planDue(schedule, timing, first, options);
    return { ...plan, note };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const reason = error.message.replace(/^[\w.]+/, (field) => COLUMNS.get(field) ?? field);
    return { ...ending("invalid", reason), note: null };
  }
}

type Runs = Omit<Plan, "note">;

function planDue(
  schedule: Schedule,
  timing: Timing,
  first: number,
  { now, limit, random }: { now: number; limit: number; random: () => number },
): Runs {
  const { maxRuns, runCount, catchUp, catchUpLimit, jitter } = schedule;
  const left = maxRuns === null ? Infinity : maxRuns - runCount;
  if (left <= 0) return finish(schedule);

  const due = { timing, first, now };
  const { occurrences, missed } = catchUp === "all"
    ? eachDue(due, catchUpLimit ?? CATCH_UP_LIMIT, Math.min(limit, left))
    : latestDue(due, catchUp);
  const last = occurrences.at(-1) ?? missed?.until ?? first;
  const nextRunAt = nextOccurrence(timing, last);
  return {
    runs: occurrences.map((occurrence) => ({
      occurrence,
      delayMs: Math.floor(random() * (jitter + 1)),
    })),
    missed: missed && { occurrence: first, reason: missed.reason },
    nextRunAt,
    disabled: nextRunAt === null ? finish(schedule).disabled : null,
  };
}

/** Occurrences from `first` up to `now`; `first` is an occurrence. */
interface Due {
  readonly timing: Timing;
  readonly first: number;
  readonly now: number;
}

interface Chosen {
  readonly occurrences: readonly number[];
  /** Occurrences without a run; the last of them is at `until`. */
  readonly missed: { readonly until: number; readonly reason: string } | null;
}

/** Chooses the latest `ceiling` occurrences, and of these the oldest `limit` to make now. */
function eachDue({ timing, first, now }: Due, ceiling: number, limit: number): Chosen {
  const count = countOccurrences(timing, first, now);
  const start = count > ceiling ? firstOfLatest(timing, first, now, ceiling) : first;
  const occurrences: number[] = [];
  let next: number | null = start;
  while (next !== null && next <= now && occurrences.length < limit) {
    occurrences.push(next);
    next = nextOccurrence(timing, next);
  }
  if (count <= ceiling) return { occurrences, missed: null };
  const missed = `missed: no run for ${count - ceiling} planned times, from ${text(first)} on, ` +
    `as catch_up_limit is ${ceiling}`;
  return { occurrences, missed: { until: start, reason: missed } };
}

/** Chooses the latest occurrence, unless it is missed itself and catchUp is 'none'. */
function latestDue({ timing, first, now }: Due, catchUp: Exclude<CatchUp, "all">): Chosen {
  const latest = latestOccurrence(timing, first, now);
  const isRun = catchUp === "latest" || now - latest <= ON_TIME_MS;
  if (isRun && latest === first) return { occurrences: [latest], missed: null };
  const count = countOccurrences(timing, first, now);
  const span = `${count} planned times, from ${text(first)} to ${text(latest)}`;
  const reason = isRun
    ? `missed: of ${span}, only the latest was run`
    : `missed: no run for ${span}, as catch_up is none`;
  return { occurrences: isRun ? [latest] : [], missed: { until: latest, reason } };
}

function finish({ type, maxRuns, runCount }: Schedule): Runs {
  const reason = maxRuns !== null && runCount >= maxRuns
    ? `max_runs: it has run ${runCount} times`
    : type === "once"
    ? "its one time is over"
    : "end_at: no occurrence is left";
  return ending("finished", reason);
}

function ending(by: "finished" | "invalid", reason: string): Runs {
  return { runs: [], missed: null, nextRunAt: null, disabled: { by, reason } };
}

function text(moment: number): string {
  return new Date(moment).toISOString();
}
