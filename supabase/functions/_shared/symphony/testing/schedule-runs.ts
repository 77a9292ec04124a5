/** The record of the schedules' runs in memory: an occurrence is in it once. */

import type { ScheduleRun } from "../scheduler/schedule.ts";

/**
 * A run that is recorded. Moments are in ms since 1970, save the occurrence, which is in microseconds: a
 * run that was triggered stands between two milliseconds, so that it takes no planned run's place.
 */
export interface RunRecord {
  readonly occurrence: number;
  readonly run: number | null;
  readonly triggered: boolean;
  readonly messageId: string | null;
  readonly outcome: ScheduleRun["outcome"];
  readonly reason: string | null;
  readonly enqueuedAt: number | null;
  readonly finishedAt: number | null;
}

/** A moment in ms since 1970 as a record's occurrence. */
export function toOccurrence(ms: number): number {
  return ms * 1_000;
}

/** Runs by schedule and occurrence. */
export class ScheduleRuns {
  readonly #ofSchedule = new Map<string, Map<number, RunRecord>>();

  /** Whether an occurrence has its run. */
  has(scheduleId: string, occurrence: number): boolean {
    return this.#ofSchedule.get(scheduleId)?.has(occurrence) ?? false;
  }

  /** Records a run, unless its occurrence has one. Returns whether it was recorded. */
  add(scheduleId: string, record: RunRecord): boolean {
    if (this.has(scheduleId, record.occurrence)) return false;
    const runs = this.#ofSchedule.get(scheduleId) ?? new Map();
    this.#ofSchedule.set(scheduleId, runs.set(record.occurrence, record));
    return true;
  }

  /** Writes down what became of a run's message. */
  finish(
    messageId: string,
    end: Pick<RunRecord, "outcome" | "reason" | "finishedAt">,
  ): void {
    for (const runs of this.#ofSchedule.values()) {
      for (const [occurrence, record] of runs) {
        if (record.messageId === messageId) runs.set(occurrence, { ...record, ...end });
      }
    }
  }

  /** Forgets the runs of a schedule. */
  remove(scheduleId: string): void {
    this.#ofSchedule.delete(scheduleId);
  }

  /** The latest runs of a schedule, the newest first; with `before`, those that were planned before it. */
  latest(scheduleId: string, limit: number, before?: Date): ScheduleRun[] {
    return [...this.#ofSchedule.get(scheduleId)?.values() ?? []]
      .filter(({ occurrence }) => !before || occurrence < before.getTime() * 1_000)
      .toSorted((a, b) => b.occurrence - a.occurrence)
      .slice(0, limit)
      .map((record) => ({
        ...record,
        occurrence: new Date(Math.floor(record.occurrence / 1_000)),
        enqueuedAt: record.enqueuedAt === null ? null : new Date(record.enqueuedAt),
        finishedAt: record.finishedAt === null ? null : new Date(record.finishedAt),
      }));
  }
}
