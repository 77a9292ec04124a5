/** Runs due schedules: claim them, plan their runs, write the messages; two round trips a batch. */

import type { MessageBus } from "../bus/bus.ts";
import type { Logger } from "../runtime/log.ts";
import { type Advance, planRuns } from "./plan.ts";
import { prepareRuns } from "./prepare.ts";
import type { DueSchedule } from "./schedule.ts";
import type { ScheduleClaim, ScheduleStore } from "./store.ts";
import { isTooMuch, persist, report, writeAdvances } from "./write-advances.ts";

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
  /** Whether a further claim may begin behind the first; default: yes. */
  readonly hasRoom?: (() => boolean) | undefined;
  /** Called with the result of the comparison. */
  readonly onCompared: (changed: boolean) => Promise<void>;
}

/** Largest number of schedules in one claim. */
const LARGEST_BATCH = 1_000;
/** Largest size of the messages in one call, in bytes, beyond the first message of each schedule. */
const LARGEST_RUNS = 16 * 1_048_576;

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
  let largest = LARGEST_BATCH;
  while (report.dispatched < limit) {
    const room = limit - report.dispatched;
    const asked = Math.min(room, largest);
    const { claim, maxSchedules, token }: Claimed = await claimFitting(
      asked,
      { until, fingerprint },
      options,
    );
    if (maxSchedules < asked) largest = maxSchedules;
    if (fingerprint !== null) await options.onCompared(claim.declarationsChanged);
    fingerprint = null;
    until ??= claim.now;

    const advances = await plan(claim, room, options);
    const isPart = advances.length > 0 && await write(token, advances, report, options);
    const nextAt = earliest([claim.nextAt, ...advances.map(({ plan }) => plan.nextRunAt)]);
    nextDueMs = nextAt === null ? null : Math.max(0, nextAt - claim.now);
    const due = until;
    const rest = isPart ||
      advances.some(({ plan: { nextRunAt } }) => nextRunAt !== null && nextRunAt <= due);
    if (advances.length < maxSchedules && !rest && !claim.more) break;
    if (options.hasRoom?.() === false) break;
  }
  return { report, nextDueMs };
}

interface Claimed {
  readonly claim: ScheduleClaim;
  /** How many schedules it asked for. */
  readonly maxSchedules: number;
  readonly token: string;
}

/** Claims schedules; half as many if the database takes too long over them, down to one. */
async function claimFitting(
  most: number,
  more: { readonly until: number | null; readonly fingerprint: string | null },
  { store, leaseMs, bus }: ProcessingOptions,
): Promise<Claimed> {
  for (let maxSchedules = most;; maxSchedules = Math.ceil(maxSchedules / 2)) {
    const token = crypto.randomUUID();
    try {
      const claim = await persist((repeated) =>
        store.claim({
          ...{ ...more, token, maxSchedules, repeated },
          ...{ leaseMs, payloads: bus !== undefined },
        })
      );
      return { claim, maxSchedules, token };
    } catch (error) {
      if (!isTooMuch(error) || maxSchedules === 1) throw error;
    }
  }
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

/** Writes the planned runs, and counts them. Returns whether some of them are left. */
async function write(
  token: string,
  advances: readonly Advance[],
  report: SchedulesReport,
  options: ProcessingOptions,
): Promise<boolean> {
  const { dispatched, skipped, stale, refused, isPart } = await writeAdvances(
    token,
    advances,
    options,
  );
  report.processed += dispatched;
  report.dispatched += dispatched;
  report.skipped += skipped;
  report.failed += advances.map(countFailed).reduce((sum, count) => sum + count, refused);
  report.stale += stale.length;
  if (stale.length > 0) options.log.warn("schedules_stale", { ids: stale });
  return isPart;
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
