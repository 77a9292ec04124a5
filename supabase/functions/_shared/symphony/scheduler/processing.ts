/** Runs due schedules: claim them, plan their runs, write the messages; two round trips a batch. */

import type { MessageBus } from "../bus/bus.ts";
import { ConflictError } from "../message/errors.ts";
import type { Logger } from "../runtime/log.ts";
import { isOutboxFull, TransportError } from "../transport/transport.ts";
import { type Advance, planRuns } from "./plan.ts";
import { prepareRuns } from "./prepare.ts";
import type { DueSchedule } from "./schedule.ts";
import type { AdvanceResult, ScheduleClaim, ScheduleStore } from "./store.ts";

/** The result of processing schedules. */
export interface SchedulesReport {
  /** The same number as `dispatched`. */
  processed: number;
  /** Messages dispatched. */
  dispatched: number;
  /** Records of skipped runs: missed, or the run before was not finished. */
  skipped: number;
  /** Runs recorded as failed or put off, and schedules that were disabled as invalid. */
  failed: number;
  /** Schedules that another tick or a change took over; nothing was changed for them. */
  stale: number;
  /** Why processing ended early; unwritten runs are due again. */
  error?: string;
}

/** The result of processing, and when more will be due. */
export interface SchedulesRun {
  readonly report: SchedulesReport;
  /** Ms until a schedule can be claimed, 0 if one is due now; null if none will be. */
  readonly nextDueMs: number | null;
}

/** An empty report. */
export function emptyReport(): SchedulesReport {
  return { processed: 0, dispatched: 0, skipped: 0, failed: 0, stale: 0 };
}

/** Dependencies of the processing. */
export interface ProcessingOptions {
  readonly store: ScheduleStore;
  /** Makes the messages. Without a bus, SQL makes them from the schedules. */
  readonly bus: MessageBus | undefined;
  readonly log: Logger;
  readonly leaseMs: number;
  /** A number from 0 to less than 1, for the jitter. */
  readonly random: () => number;
  /** Hash of the declarations, to compare with the last sync's; null if they have been compared. */
  readonly fingerprint: string | null;
  /** Called with the result of the comparison. */
  readonly onCompared: (changed: boolean) => Promise<void>;
}

/** Largest number of schedules in one claim. */
const LARGEST_BATCH = 1_000;
/** Largest size of the messages in one call, in bytes, beyond the first message of each schedule. */
const LARGEST_RUNS = 16 * 1_048_576;
/** Number of tries of a call. After that the lease ends, and the next tick takes over. */
const TRIES = 3;
/** After this time, in ms, a schedule tries a full outbox again. */
const NO_ROOM_MS = 30_000;
const PAUSE_MS = 100;

/**
 * Processes the schedules that are due when it starts.
 * @param limit largest number of messages
 * @throws TransportError if the database stayed out of reach; unwritten runs are due again
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
        payloads: options.bus !== undefined,
      })
    );
    if (fingerprint !== null) await options.onCompared(claim.declarationsChanged);
    fingerprint = null;
    until ??= claim.now;

    const advances = await plan(claim, room, options);
    if (advances.length > 0) await write(token, advances, report, options);
    const nextAt = earliest([claim.nextAt, ...advances.map(({ plan }) => plan.nextRunAt)]);
    nextDueMs = nextAt === null ? null : Math.max(0, nextAt - claim.now);
    const due = until;
    const rest = advances.some(({ plan: { nextRunAt } }) => nextRunAt !== null && nextRunAt <= due);
    if (advances.length < maxSchedules && !rest && !claim.more) break;
  }
  return { report, nextDueMs };
}

function earliest(moments: readonly (number | null)[]): number | null {
  return moments.reduce((first, moment) =>
    first === null || moment !== null && moment < first ? moment : first
  );
}

/** Counts runs without a message, and a schedule that was disabled as invalid. */
function countFailed({ plan, runs, putOff }: Advance): number {
  const failed = runs.filter((run) => run.failed !== undefined).length;
  const isHindered = plan.disabled?.by === "invalid" || putOff !== undefined;
  return Math.max(failed, isHindered ? 1 : 0);
}

/** Writes the planned runs, and counts them. */
async function write(
  token: string,
  advances: readonly Advance[],
  report: SchedulesReport,
  options: ProcessingOptions,
): Promise<void> {
  const { dispatched, skipped, stale, refused } = await advance(token, advances, options);
  report.processed += dispatched;
  report.dispatched += dispatched;
  report.skipped += skipped;
  report.failed += advances.map(countFailed).reduce((sum, count) => sum + count, refused);
  report.stale += stale.length;
  if (stale.length > 0) options.log.warn("schedules_stale", { ids: stale });
}

/** Shares the limit among the schedules, so that one with a long backlog does not delay the others. */
async function plan(
  claim: ScheduleClaim,
  room: number,
  { bus, log, random }: ProcessingOptions,
): Promise<Advance[]> {
  const { schedules, now } = claim;
  const limit = Math.max(1, Math.floor(room / schedules.length));
  return await Promise.all(schedules.map(async (schedule) => {
    const fitting = runsThatFit(schedule, LARGEST_RUNS / schedules.length);
    const plan = planRuns(schedule, { now, limit: Math.min(limit, fitting), random });
    const advance = bus
      ? await prepareRuns(schedule, plan, { bus, now })
      : { schedule, plan, runs: plan.runs, failing: null };
    report(advance, log);
    return advance;
  }));
}

/** Each missed run writes the schedule's payload. Runs that do not fit are due again. */
function runsThatFit({ catchUp, message: { payload } }: DueSchedule, maxBytes: number): number {
  if (catchUp !== "all" || payload === undefined) return Infinity;
  return Math.max(1, Math.floor(maxBytes / JSON.stringify(payload).length));
}

function report({ schedule: { id, name }, plan, runs, putOff }: Advance, log: Logger): void {
  const { disabled } = plan;
  const failed = runs.find((run) => run.failed !== undefined)?.failed;
  if (disabled?.by === "invalid") {
    log.error("schedule_invalid", { id, name, reason: disabled.reason });
  }
  if (putOff) {
    log.warn("schedule_put_off", { id, name, retryInMs: putOff.ms, reason: putOff.reason });
  }
  if (failed !== undefined) log.error("schedule_run_failed", { id, name, reason: failed });
  if (disabled?.by === "finished") {
    log.info("schedule_finished", { id, name, reason: disabled.reason });
  }
}

async function advance(
  token: string,
  advances: readonly Advance[],
  options: ProcessingOptions,
): Promise<AdvanceResult & { readonly refused: number }> {
  const write = (some: readonly Advance[]) => persist(() => options.store.advance(token, some));
  try {
    return { ...await write(advances), refused: 0 };
  } catch (error) {
    if (isPassing(error) && !isOutboxFull(error)) throw error;
  }
  // The database refuses one of them. Each is sent alone, so that it delays no other.
  const total = { dispatched: 0, skipped: 0, stale: [] as string[], refused: 0 };
  for (const one of advances) {
    const result = await write([one]).catch((error) => {
      if (isOutboxFull(error)) {
        const later = putOffBy(one, error);
        report(later, options.log);
        return write([later]);
      }
      if (isPassing(error)) throw error;
      total.refused++;
      // Middleware's key may be in use by another message for now; later runs may pass.
      const isConflict = error instanceof ConflictError;
      const refused = isConflict ? withoutMessages(one, error) : refusedBy(one, error);
      report(refused, options.log);
      return write([refused]);
    });
    total.dispatched += result.dispatched;
    total.skipped += result.skipped;
    total.stale.push(...result.stale);
  }
  return total;
}

/** Tells whether the same call may pass later, because the database does not refuse its content. */
function isPassing(error: unknown): boolean {
  return error instanceof TransportError ? error.fault !== "data" : !(error instanceof RangeError);
}

/** Leaves the runs for later: their transport's outbox is full. */
function putOffBy(advance: Advance, { message: reason }: Error): Advance {
  const { schedule, plan, runs } = advance;
  const nextRunAt = runs[0]?.occurrence ?? plan.nextRunAt;
  const rest = { runs: [], missed: null, note: null, nextRunAt, disabled: null };
  return { schedule, plan: rest, runs: [], failing: null, putOff: { ms: NO_ROOM_MS, reason } };
}

/** Records the runs as failed, and lets the schedule continue. */
function withoutMessages(advance: Advance, error: Error): Advance {
  const runs = advance.runs.map(({ occurrence, delayMs, failed = error.message }) => ({
    occurrence,
    delayMs,
    failed,
  }));
  return { ...advance, runs };
}

function refusedBy({ schedule }: Advance, error: unknown): Advance {
  const reason = `the database refused: ${error instanceof Error ? error.message : error}`;
  const disabled = { by: "invalid", reason } as const;
  const plan = { runs: [], missed: null, note: null, nextRunAt: null, disabled };
  return { schedule, plan, runs: [], failing: null };
}

/** Repeats a call whose response may be lost. Repeating either call is harmless. */
async function persist<Answer>(call: (repeated: boolean) => Promise<Answer>): Promise<Answer> {
  for (let tried = 1;; tried++) {
    try {
      return await call(tried > 1);
    } catch (error) {
      if (!(error instanceof TransportError) || !error.retryable || tried >= TRIES) throw error;
      if (isOutboxFull(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** tried));
  }
}
