/** The state of a schedule after its planned runs were written. Pure. */

import type { Advance } from "../scheduler/plan.ts";
import { changed, endAtMaxRuns, type StoredSchedule } from "./stored-schedule.ts";

/** A run that has its message. */
export interface WrittenRun {
  /** In ms since 1970. */
  readonly occurrence: number;
  readonly messageId: string;
}

/** A schedule after its runs were written. @param written in the order of their occurrences */
export function advanced(
  row: StoredSchedule,
  { plan, failing, putOff }: Advance,
  written: readonly WrittenRun[],
  now: number,
): StoredSchedule {
  const runCount = row.runCount + written.length;
  const last = written.at(-1);
  const { disabled } = plan;
  const changes: Partial<StoredSchedule> = {
    leaseToken: null,
    leasedUntil: putOff ? now + putOff.ms : null,
    failingSince: failing ? row.failingSince ?? now : failing === null ? row.failingSince : null,
    nextRunAt: plan.nextRunAt,
    runCount,
    lastRunAt: last && last.occurrence > (row.lastRunAt ?? -Infinity)
      ? last.occurrence
      : row.lastRunAt,
    lastMessageId: last?.messageId ?? row.lastMessageId,
    enabled: disabled === null,
    disabledBy: disabled?.by ?? null,
    disabledReason: disabled?.reason ?? null,
  };
  const end = endAtMaxRuns(row, runCount);
  return changed(row, disabled ? { ...end, ...changes } : { ...changes, ...end }, now);
}
