/** The schedules of a tick: it processes those that are due, and adds up what that did. */

import type { Logger } from "../../runtime/log.ts";
import {
  emptyReport,
  type SchedulesReport,
  type SchedulesRun,
} from "../../scheduler/processing.ts";
import { pause } from "../calls.ts";
import type { WorkerSchedules } from "../worker-options.ts";

/** Share of the tick's time that schedules may take at once. Messages are handled beside them. */
const SHARE = 1 / 3;
/** For how long a due schedule is tried again whose row another session has locked, in ms: an edit takes less. */
const HELD_MS = 3_000;
/** Interval between these tries. */
const RETRY_INTERVAL_MS = 250;

/** The parts that process schedules. */
export interface DueSchedulesParts {
  /** Dispatches what schedules have due. @param hasRoom whether another batch may begin. Never throws */
  readonly runSchedules: (
    options: { readonly budgetMs: number },
    hasRoom: () => boolean,
  ) => Promise<SchedulesRun>;
  /** Whether schedules are to be processed though none is due: those declared in code may be new. */
  readonly mustSync: () => boolean;
  readonly log: Logger;
}

/** Processes the schedules of one tick. */
export class DueSchedules implements WorkerSchedules {
  readonly report: SchedulesReport = emptyReport();
  readonly dueNow: boolean;
  /** Whether some stayed due though they were processed: the next minute's tick tries again. */
  areStuck = false;

  constructor(
    isDue: boolean,
    private readonly budgetMs: number,
    private readonly parts: DueSchedulesParts,
  ) {
    this.dueNow = isDue || parts.mustSync();
  }

  async process(hasRoom: () => boolean = () => true): Promise<number> {
    const endsAt = performance.now() + Math.min(HELD_MS, this.budgetMs * SHARE);
    let dispatched = await this.#processOnce(hasRoom);
    const mayRetry = () => performance.now() < endsAt && hasRoom();
    while (this.areStuck && this.report.error === undefined && mayRetry()) {
      await pause(RETRY_INTERVAL_MS);
      dispatched += await this.#processOnce(hasRoom);
    }
    return dispatched;
  }

  async #processOnce(hasRoom: () => boolean): Promise<number> {
    const limits = { budgetMs: this.budgetMs * SHARE };
    const { report, nextDueMs } = await this.parts.runSchedules(limits, hasRoom);
    const { error, ...counts } = report;
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
      this.report[name] += counts[name];
    }
    if (error !== undefined) this.report.error = error;
    const moved = report.processed + report.dispatched + report.skipped > 0;
    this.areStuck = error !== undefined || (nextDueMs === 0 && !moved);
    return report.dispatched;
  }
}
