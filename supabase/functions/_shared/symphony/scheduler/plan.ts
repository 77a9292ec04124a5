/** What a tick does with one due schedule: which runs it makes now, and when the next one is. Pure. */

import { checkSchedule } from "./check-options.ts";
import { optionsOf, type Schedule, timingOf } from "./schedule.ts";
import { latestOccurrence, nextOccurrence, type Timing } from "./timing.ts";

/** What becomes of a schedule in a tick; moments are in ms since 1970. */
export interface Plan {
  /** Runs to be made now. */
  readonly runs: readonly { readonly occurrence: number; readonly delayMs: number }[];
  /** Occurrences that get no run, written down under the first of them. */
  readonly missed: { readonly occurrence: number; readonly reason: string } | null;
  /** Planned time of the next run; it may be due as well. Null where the schedule is disabled. */
  readonly nextRunAt: number | null;
  readonly disabled: { readonly by: "finished" | "invalid"; readonly reason: string } | null;
}

/**
 * With catchUp 'none', how late a schedule may be and still be run, in ms. Ticks come every minute:
 * so one may be late, or missing, and nothing counts as missed.
 */
export const ON_TIME_MS = 120_000;

/** Where a row holds what an option says, by their names. */
const COLUMNS = new Map([
  ["config.at", "run_at"],
  ["config.cron", "cron"],
  ["config.interval", "interval_ms"],
  ["startAt", "start_at"],
  ["endAt", "end_at"],
]);

/**
 * Plans the runs of one schedule. What cannot be read is disabled, with the reason; never throws for it.
 * @param options.now the database's clock, in ms since 1970
 * @param options.limit at most so many runs; the rest is due again at once
 * @param options.random a number from 0 to less than 1, for the jitter
 */
export function planRuns(
  schedule: Schedule,
  options: { readonly now: number; readonly limit: number; readonly random: () => number },
): Plan {
  try {
    const { timing, first } = firstOccurrence(schedule);
    if (first === null || first > timing.until) return finish(schedule);
    if (first > options.now) return { runs: [], missed: null, nextRunAt: first, disabled: null };
    return planDue(schedule, timing, first, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const reason = error.message.replace(/^[\w.]+/, (field) => COLUMNS.get(field) ?? field);
    const disabled = { by: "invalid", reason } as const;
    return { runs: [], missed: null, nextRunAt: null, disabled };
  }
}

/**
 * The occurrence a stored schedule comes to next, due or not, and its times.
 * @throws RangeError if the schedule cannot be read
 */
export function firstOccurrence(schedule: Schedule): { timing: Timing; first: number | null } {
  const definition = checkSchedule(optionsOf(schedule));
  const { startAt } = definition;
  const [next, last, created, updated] = [
    moment("next_run_at", schedule.nextRunAt),
    moment("last_run_at", schedule.lastRunAt),
    schedule.createdAt.getTime(),
    schedule.updatedAt.getTime(),
  ];
  // An interval is counted from the run that is planned, else the one before, else the beginning.
  const counted = startAt !== null && startAt > (last ?? -Infinity) ? startAt : last;
  const timing = timingOf(definition, next ?? counted ?? created);
  if (next !== null) return { timing, first: next };
  // Nothing is made up for the time before the schedule was made, changed or enabled.
  const after = timing.type === "once" ? last : Math.max(updated, last ?? -Infinity);
  return { timing, first: nextOccurrence(timing, after ?? -Infinity) };
}

function moment(field: string, value: Date | null): number | null {
  if (value === null) return null;
  if (Number.isNaN(value.getTime())) throw new RangeError(`${field}: is no moment in time`);
  return value.getTime();
}

function planDue(
  schedule: Schedule,
  timing: Timing,
  first: number,
  { now, limit, random }: { now: number; limit: number; random: () => number },
): Plan {
  const { maxRuns, runCount, catchUp, jitter } = schedule;
  const left = maxRuns === null ? Infinity : maxRuns - runCount;
  if (left <= 0) return finish(schedule);

  const { occurrences, missed } = catchUp === "all"
    ? { occurrences: eachDue(timing, first, now, Math.min(limit, left)), missed: null }
    : withoutMissed(catchUp, first, latestOccurrence(timing, first, now), now);
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

function eachDue(timing: Timing, first: number, now: number, limit: number): number[] {
  const due: number[] = [];
  let next: number | null = first;
  while (next !== null && next <= now && due.length < limit) {
    due.push(next);
    next = nextOccurrence(timing, next);
  }
  return due;
}

function withoutMissed(
  catchUp: "latest" | "none",
  first: number,
  latest: number,
  now: number,
): { occurrences: number[]; missed: { until: number; reason: string } | null } {
  const span = `${new Date(first).toISOString()} to ${new Date(latest).toISOString()}`;
  if (catchUp === "none" && now - first > ON_TIME_MS) {
    return {
      occurrences: [],
      missed: { until: latest, reason: `missed: no run for ${span}, as catch_up is none` },
    };
  }
  if (latest === first) return { occurrences: [latest], missed: null };
  return {
    occurrences: [latest],
    missed: { until: latest, reason: `missed: of ${span} only the latest was run` },
  };
}

function finish({ type, maxRuns, runCount }: Schedule): Plan {
  const reason = maxRuns !== null && runCount >= maxRuns
    ? `max_runs: it has run ${runCount} times`
    : type === "once"
    ? "its one time is over"
    : "end_at: no occurrence is left";
  return { runs: [], missed: null, nextRunAt: null, disabled: { by: "finished", reason } };
}
