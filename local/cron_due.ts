// Says when pg_cron's stand-in has to run a job. Times are milliseconds since the epoch.
import { getNextCronTime } from "../supabase/functions/_shared/symphony/scheduler/cron-parser.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
/** Missed minutes are made up for only when they are few; a machine that slept starts afresh. */
const MAX_MISSED_MINUTES = 5;

/** The state of a job when the scheduler looks at it. */
export interface Look {
  now: number;
  /** Start of the minute of the look before. */
  lastMinute: number;
  /** When the job was last started, or first seen. */
  lastStartAt: number;
  /** Runs that are due and have not started. */
  pendingRuns: number;
}

/**
 * How many runs of a job have fallen due since the look before. As in pg_cron 1.6, in UTC: a job of
 * 'N seconds' comes due N seconds after its last start, unless a run waits already; a cron job comes
 * due once for each of its minutes that has begun, up to five, else for the current one only.
 */
export function dueRuns(schedule: string, look: Look): number {
  const seconds = /^\s*(\d+)\s+seconds?\s*$/i.exec(schedule)?.[1];
  if (seconds !== undefined) {
    const passed = startOf(SECOND_MS, look.now) - startOf(SECOND_MS, look.lastStartAt);
    return look.pendingRuns === 0 && passed >= Number(seconds) * SECOND_MS ? 1 : 0;
  }
  const minute = startOfMinute(look.now);
  const isCatchUp = minute - look.lastMinute <= MAX_MISSED_MINUTES * MINUTE_MS;
  let runs = 0;
  let run = nextRun(schedule, isCatchUp ? look.lastMinute : minute - MINUTE_MS);
  for (; run <= minute; run = nextRun(schedule, run)) runs++;
  return runs;
}

/** The start of a time's minute. */
export function startOfMinute(time: number): number {
  return startOf(MINUTE_MS, time);
}

function startOf(unit: number, time: number): number {
  return time - time % unit;
}

/** Infinity for a date that never comes, such as February 30, which pg_cron accepts. */
function nextRun(schedule: string, after: number): number {
  try {
    return getNextCronTime(schedule, new Date(after)).getTime();
  } catch (error) {
    if (error instanceof RangeError) return Infinity;
    throw error;
  }
}
