/** Which of the planned runs make a message, and which are left out. Pure. */

import type { OutgoingMessage } from "../message/envelope.ts";
import type { Advance } from "../scheduler/plan.ts";
import { describedMessage, type StoredSchedule } from "./stored-schedule.ts";

/** A planned run with its verdict. */
export interface JudgedRun {
  readonly schedule: StoredSchedule;
  /** Planned time, in ms since 1970. */
  readonly occurrence: number;
  /** Number of the run, if it makes a message. */
  readonly number: number;
  /** Null: the run makes no message. */
  readonly message: OutgoingMessage | null;
  /** Why it makes none. */
  readonly reason: string | null;
  /** Its message could not be made. */
  readonly failed: boolean;
}

/** Facts that a judgement depends on besides the schedule. */
export interface JudgingState {
  /** Whether an occurrence has its run already. */
  hasRun(scheduleId: string, occurrence: number): boolean;
  /** The paused one of a queue and, for a lane, its queue; undefined if neither is. */
  pausedQueue(queue: string): string | undefined;
  /** Whether a message waits or runs. */
  isUnfinished(messageId: string): boolean;
}

/** Judges the runs of a schedule, in the order of their occurrences. */
export function judgeRuns(
  schedule: StoredSchedule,
  { runs }: Advance,
  state: JudgingState,
): JudgedRun[] {
  const { overlap, whilePaused } = schedule.definition;
  const { lastMessageId } = schedule;
  const isUnderWay = lastMessageId !== null && state.isUnfinished(lastMessageId);
  let number = schedule.runCount;
  let unhindered = 0;
  return runs.filter(({ occurrence }) => !state.hasRun(schedule.id, occurrence)).map((run) => {
    const message = run.message ?? describedMessage(schedule, run.delayMs);
    const queue = message.queue ?? "default";
    let reason = run.failed ?? null;
    const paused = whilePaused === "skip" ? state.pausedQueue(queue) : undefined;
    if (reason === null && paused !== undefined) reason = `paused: the queue ${paused} was paused`;
    // Of several runs at once the first may start; the others would wait beside it.
    if (reason === null && overlap === "skip" && (++unhindered > 1 || isUnderWay)) {
      reason = "overlap: the run before was still waiting or running";
    }
    if (reason === null) number++;
    const { occurrence } = run;
    return {
      schedule,
      occurrence,
      number,
      message: reason === null
        ? stamped(schedule, message, new Date(occurrence).toISOString(), number)
        : null,
      reason,
      failed: run.failed !== undefined,
    };
  });
}

/** A message with the stamps of its schedule and of its run. @param occurrence ISO 8601 */
export function stamped(
  { id, definition: { name }, stamps }: StoredSchedule,
  message: OutgoingMessage,
  occurrence: string,
  run: number,
): OutgoingMessage {
  return {
    ...message,
    stamps: { ...stamps, ...message.stamps, schedule: { id, name, occurrence, run } },
  };
}
