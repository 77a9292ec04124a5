/** The tick's part of the scheduler: batch after batch, within its share of the tick's time. */

import type { Logger } from "../runtime/log.ts";
import { emptyReport, type SchedulesRun } from "./processing.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Dispatches what is due, until nothing is or the time is up. Never throws. May be called any number of
 * times in a tick: where nothing is due it is one short call.
 * @param options.budgetMs no batch begins after so many ms
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
