/** The tick's part of the scheduler: batch after batch, within its share of the tick's time. */

import type { Logger } from "../log.ts";
import type { Scheduler } from "./scheduler.ts";

/** What processing schedules did. */
export interface SchedulesReport {
  /** Messages dispatched. */
  processed: number;
  /** Why it ended early: schedules are due again then, and messages are handled all the same. */
  error?: string;
}

/**
 * Dispatches what is due, until nothing is or the time is up. Never throws.
 * @param options.budgetMs no batch begins after so many ms
 */
export async function runSchedules(
  scheduler: Scheduler,
  options: { readonly budgetMs: number; readonly batchSize: number; readonly log: Logger },
): Promise<SchedulesReport> {
  const { budgetMs, batchSize, log } = options;
  const endsAt = performance.now() + budgetMs;
  const report: SchedulesReport = { processed: 0 };
  try {
    for (let count = batchSize; count >= batchSize && performance.now() < endsAt;) {
      count = await scheduler.processDueMessages(batchSize);
      report.processed += count;
    }
  } catch (error) {
    report.error = error instanceof Error ? error.message : String(error);
    log.error("schedules_failed", { error: report.error });
  }
  return report;
}
