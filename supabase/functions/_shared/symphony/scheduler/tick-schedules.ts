/** The tick's part of the scheduler: processes batches within its share of the tick's time. */

import type { Logger } from "../runtime/log.ts";
import { emptyReport, type SchedulesRun } from "./processing.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * Dispatches due messages until none is due or the time is over. Never throws. A tick may call it often:
 * if nothing is due, it makes one short call.
 * @param options.budgetMs age, in ms, after which no batch begins
 * @param options.hasRoom whether a further batch may begin: missed runs by the thousand take all the CPU that the
 * platform gives a process; default: yes
 */
export async function runSchedules(
  scheduler: Scheduler,
  options: {
    readonly budgetMs: number;
    readonly batchSize: number;
    readonly log: Logger;
    readonly hasRoom?: () => boolean;
  },
): Promise<SchedulesRun> {
  const { budgetMs, batchSize, log, hasRoom = () => true } = options;
  const endsAt = performance.now() + budgetMs;
  const mayContinue = () => performance.now() < endsAt && hasRoom();
  const report = emptyReport();
  let nextDueMs: number | null = 0;
  try {
    for (let count = performance.now() < endsAt ? batchSize : 0; count >= batchSize;) {
      const batch = await scheduler.process(batchSize, mayContinue);
      for (const name of ["processed", "dispatched", "skipped", "failed", "stale"] as const) {
        report[name] += batch.report[name];
      }
      nextDueMs = batch.nextDueMs;
      count = mayContinue() ? batch.report.dispatched : 0;
    }
  } catch (error) {
    report.error = error instanceof Error ? error.message : String(error);
    log.error("schedules_failed", { error: report.error });
  }
  return { report, nextDueMs };
}
