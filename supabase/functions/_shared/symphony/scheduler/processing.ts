/** Runs what is due: claim schedules, plan their runs, write them; two round trips a batch. */

import type { Logger } from "../log.ts";
import type { Registry } from "../message.ts";
import { TransportError } from "../transport/transport.ts";
import { planRuns } from "./plan.ts";
import type { Advance, Schedule } from "./schedule.ts";
import type { AdvanceResult, ScheduleClaim, ScheduleStore } from "./store.ts";

/** What processing schedules did. */
export interface SchedulesReport {
  /** The same as `dispatched`. */
  processed: number;
  /** Messages dispatched. */
  dispatched: number;
  /** Records of runs that were left out: missed, or while the run before was under way. */
  skipped: number;
  /** Schedules that were disabled as invalid. */
  failed: number;
  /** Schedules that another tick, or a change, took over meanwhile: nothing was changed for them. */
  stale: number;
  /** Why it ended early; what was not written is due again. */
  error?: string;
}

/** What processing did, and when there is more to do. */
export interface SchedulesRun {
  readonly report: SchedulesReport;
  /** Ms until a schedule can be claimed, 0 where one is due; null where none will be. */
  readonly nextDueMs: number | null;
}

/** A report of nothing. */
export function emptyReport(): SchedulesReport {
  return { processed: 0, dispatched: 0, skipped: 0, failed: 0, stale: 0 };
}

/** What processing needs. */
export interface ProcessingOptions {
  readonly store: ScheduleStore;
  /** Gives queue, priority and ttl where a schedule leaves them open. */
  readonly registry: Registry | undefined;
  readonly log: Logger;
  readonly leaseMs: number;
  /** A number from 0 to less than 1, for the jitter. */
  readonly random: () => number;
  /** The declarations to be compared with those of the last sync; null where that is done. */
  readonly fingerprint: string | null;
  /** Told when they are not the same, or are. */
  readonly onCompared: (changed: boolean) => Promise<void>;
}

/** Most schedules the database hands out in one claim. */
const LARGEST_BATCH = 1_000;
/** Calls are tried so often; then the lease runs out and the next tick takes over. */
const TRIES = 3;
const PAUSE_MS = 100;

/**
 * Processes what is due at its start.
 * @param limit at most so many messages
 * @throws TransportError if the database stayed out of reach; what was not written is due again
 */
export async function processDue(limit: number, options: ProcessingOptions): Promise<SchedulesRun> {
  const report = emptyReport();
  let until: number | null = null;
  let nextDueMs: number | null = 0;
  let { fingerprint } = options;
  while (report.dispatched < limit) {
    const room = limit - report.dispatched;
    const maxSchedules = Math.min(room, LARGEST_BATCH);
    const token = crypto.randomUUID();
    const claim: ScheduleClaim = await persist((repeated) =>
      options.store.claim({
        ...{ token, maxSchedules, until, fingerprint, repeated },
        leaseMs: options.leaseMs,
      })
    );
    if (fingerprint !== null) await options.onCompared(claim.declarationsChanged);
    fingerprint = null;
    until ??= claim.now;

    const advances = plan(claim, room, options);
    if (advances.length > 0) await write(token, advances, report, options);
    const nextAt = earliest([claim.nextAt, ...advances.map(({ plan }) => plan.nextRunAt)]);
    nextDueMs = nextAt === null ? null : Math.max(0, nextAt - claim.now);
    const due = until;
    const rest = advances.some(({ plan: { nextRunAt } }) => nextRunAt !== null && nextRunAt <= due);
    if (advances.length < maxSchedules && !rest) break;
  }
  return { report, nextDueMs };
}

function earliest(moments: readonly (number | null)[]): number | null {
  return moments.reduce((first, moment) =>
    first === null || moment !== null && moment < first ? moment : first
  );
}

/** Writes what was planned, and counts it. */
async function write(
  token: string,
  advances: readonly Advance[],
  report: SchedulesReport,
  options: ProcessingOptions,
): Promise<void> {
  const { dispatched, skipped, stale } = await advance(token, advances, options);
  report.processed += dispatched;
  report.dispatched += dispatched;
  report.skipped += skipped;
  report.failed += advances.filter(({ plan }) => plan.disabled?.by === "invalid").length;
  report.stale += stale.length;
  if (stale.length > 0) options.log.warn("schedules_stale", { ids: stale });
}

/** Shares the room among the schedules, so that none with a long backlog holds up the others. */
function plan(claim: ScheduleClaim, room: number, options: ProcessingOptions): Advance[] {
  const { schedules, now } = claim;
  const limit = Math.max(1, Math.floor(room / schedules.length));
  return schedules.map((schedule) => {
    const plan = planRuns(schedule, { now, limit, random: options.random });
    report(schedule, plan.disabled, options.log);
    return { schedule, plan, defaults: options.registry?.get(schedule.message.type) ?? {} };
  });
}

function report(
  { id, name }: Schedule,
  disabled: Advance["plan"]["disabled"],
  log: Logger,
): void {
  if (disabled?.by === "invalid") {
    log.error("schedule_invalid", { id, name, reason: disabled.reason });
  }
  if (disabled?.by === "finished") {
    log.info("schedule_finished", { id, name, reason: disabled.reason });
  }
}

async function advance(
  token: string,
  advances: readonly Advance[],
  options: ProcessingOptions,
): Promise<AdvanceResult> {
  const write = (some: readonly Advance[]) => persist(() => options.store.advance(token, some));
  try {
    return await write(advances);
  } catch (error) {
    if (!(error instanceof TransportError) || error.fault !== "data") throw error;
  }
  // The database refuses something among them: each alone, so that it holds up no other.
  const total = { dispatched: 0, skipped: 0, stale: [] as string[] };
  for (const one of advances) {
    const result = await write([one]).catch((error) => {
      if (!(error instanceof TransportError) || error.fault !== "data") throw error;
      const disabled = { by: "invalid", reason: `the database refused: ${error.message}` } as const;
      report(one.schedule, disabled, options.log);
      const plan = { runs: [], missed: null, note: null, nextRunAt: null, disabled };
      return write([{ ...one, plan, defaults: {} }]);
    });
    total.dispatched += result.dispatched;
    total.skipped += result.skipped;
    total.stale.push(...result.stale);
  }
  return total;
}

/** Repeats a call whose answer may be lost; both calls can be repeated without harm. */
async function persist<Answer>(call: (repeated: boolean) => Promise<Answer>): Promise<Answer> {
  for (let tried = 1;; tried++) {
    try {
      return await call(tried > 1);
    } catch (error) {
      if (!(error instanceof TransportError) || !error.retryable || tried >= TRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** tried));
  }
}
