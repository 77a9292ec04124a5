/** The tick's part of the scheduler: processes batches within its share of the tick's time. */

import type { Logger } from "../runtime/log.ts";
import { emptyReport, type SchedulesRun } from "./processing.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Dispatches due messages until none is due or the time is over. Never throws. A tick may call it often:
 * if nothing is due, it makes one short call.
 * @param options.budgetMs age, in ms, after which no batch begins
 */
export async function runSchedules(
  scheduler: Scheduler,
  options: { readonly budgetMs: number; readonly batchSize: number; readonly log: Logger },
): Promise<SchedulesRun> {
  const { budgetMs, batchSize, log } = options;
  const endsAt = performance.now() + budgetMs;
  const report = emptyReport();
  let nextDueMs: number | null = 0;
  try {
    for (let count = batchSize; count >= batchSize && performance.now() < endsAt;) {
      const batch = await scheduler.process(batchSize);
      for (const name of ["processed", "dispatched", "skipped", "failed", "stale"] as const) {
        report[name] += batch.report[name];
      }
      nextDueMs = batch.nextDueMs;
      count = batch.report.dispatched;
    }
  } catch (error) {
    report.error = error instanceof Error ? error.message : String(error);
    log.error("schedules_failed", { error: report.error });
  }
  return { report, nextDueMs };
}
