/** The runs of schedules in memory: their messages, their records, and what they make of a schedule. */

import { parentQueue } from "../message/lane.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { ConflictError } from "../message/errors.ts";
import type { Advance } from "../scheduler/plan.ts";
import type { AdvanceResult } from "../scheduler/store.ts";
import type { InMemoryTransport } from "../transport/memory.ts";
import { advanced } from "./advance-schedules.ts";
import { type JudgedRun, judgeRuns, stamped } from "./judge-runs.ts";
import { type ScheduleRuns, toOccurrence } from "./schedule-runs.ts";
import { changed, describedMessage, endAtMaxRuns, type StoredSchedule } from "./stored-schedule.ts";

/** The parts that a runner works with. */
export interface RunnerParts {
  readonly transport: InMemoryTransport;
  readonly rows: Map<string, StoredSchedule>;
  readonly runs: ScheduleRuns;
  /** In ms since 1970. */
  readonly now: () => number;
}

/** Writes runs, each time all that belongs together or nothing. */
export class ScheduleRunner {
  constructor(private readonly parts: RunnerParts) {}

  /** Writes the planned runs of the schedules that are held under a token. */
  advance(token: string, advances: readonly Advance[]): AdvanceResult {
    const { rows, transport } = this.parts;
    const held = advances.flatMap((advance) => {
      const row = rows.get(advance.schedule.id);
      return row?.leaseToken === token ? [{ row, advance, runs: this.#judge(row, advance) }] : [];
    });
    const making = held.flatMap(({ runs }) => runs.filter(({ message }) => message !== null));
    // Before the first record: what is refused changes nothing.
    const ids = transport.enqueue(making.flatMap(({ message }) => message ? [message] : []));
    const idOf = new Map(making.map((run, index) => [run, ids[index]]));
    let skipped = 0;
    for (const { row, advance, runs } of held) {
      const written = runs.flatMap((run) => {
        const messageId = idOf.get(run) ?? null;
        this.#record(run, messageId);
        if (messageId !== null) return [{ occurrence: run.occurrence, messageId }];
        if (!run.failed) skipped++;
        return [];
      });
      skipped += this.#recordLeftOut(row.id, advance);
      rows.set(row.id, advanced(row, advance, written, this.parts.now()));
    }
    const isHeld = new Set(held.map(({ row }) => row.id));
    const stale = advances.map(({ schedule: { id } }) => id).filter((id) => !isHeld.has(id));
    const inOrder = stale.toSorted((a, b) => Number(a) - Number(b));
    return { dispatched: making.length, skipped, stale: inOrder };
  }

  /** Runs a schedule once now and returns the message's id. @throws ConflictError */
  trigger(row: StoredSchedule, counted: boolean, given: OutgoingMessage | null): string {
    const { transport, runs, rows } = this.parts;
    const now = this.parts.now();
    this.#checkTrigger(row, counted);
    const run = counted ? row.runCount + 1 : 0;
    let occurrence = toOccurrence(now) + 1;
    while (runs.has(row.id, occurrence)) occurrence++;
    const micros = String(occurrence % 1_000).padStart(3, "0");
    const text = new Date(now).toISOString().replace("Z", `${micros}Z`);
    const message = stamped(row, given ?? describedMessage(row, 0), text, run);
    const [messageId = ""] = transport.enqueue([message]);
    runs.add(row.id, {
      ...{ occurrence, run, triggered: true, messageId, outcome: "enqueued", reason: null },
      ...{ enqueuedAt: now, finishedAt: null },
    });
    const end = counted ? endAtMaxRuns(row, run) : {};
    const after = {
      runCount: Math.max(row.runCount, run),
      lastMessageId: messageId,
      // Without its lease, a tick that is planning the next run has to look again.
      leaseToken: null,
      leasedUntil: null,
      ...(row.enabled ? end : "nextRunAt" in end && { nextRunAt: null }),
    };
    rows.set(row.id, changed(row, after, now));
    return messageId;
  }

  #checkTrigger(row: StoredSchedule, counted: boolean): void {
    const { definition: { overlap, maxRuns }, lastMessageId, runCount } = row;
    if (overlap === "skip" && lastMessageId !== null && this.parts.transport.has(lastMessageId)) {
      throw new ConflictError("overlap: the run before is still waiting or running");
    }
    if (counted && maxRuns !== null && runCount >= maxRuns) {
      throw new ConflictError(`max_runs: it has run ${runCount} times`);
    }
  }

  #judge(row: StoredSchedule, advance: Advance): JudgedRun[] {
    const { runs, transport } = this.parts;
    return judgeRuns(row, advance, {
      hasRun: (id, occurrence) => runs.has(id, toOccurrence(occurrence)),
      pausedQueue: (queue) =>
        [parentQueue(queue), queue].find((name) => transport.queues.get(name).paused),
      isUnfinished: (messageId) => transport.has(messageId),
    });
  }

  #record(run: JudgedRun, messageId: string | null): void {
    this.parts.runs.add(run.schedule.id, {
      occurrence: toOccurrence(run.occurrence),
      run: messageId === null ? null : run.number,
      triggered: false,
      messageId,
      outcome: run.failed ? "failed" : messageId === null ? "skipped" : "enqueued",
      reason: run.reason,
      enqueuedAt: messageId === null ? null : this.parts.now(),
      finishedAt: null,
    });
  }

  /** Records occurrences that get no run. Returns how many records were written. */
  #recordLeftOut(id: string, { plan: { missed, note } }: Advance): number {
    const leftOut = [
      ...(missed ? [{ occurrence: toOccurrence(missed.occurrence), reason: missed.reason }] : []),
      // Planned times are whole milliseconds: a microsecond later takes the place of none.
      ...(note ? [{ occurrence: toOccurrence(note.at) + 1, reason: note.reason }] : []),
    ];
    return leftOut.filter((record) =>
      this.parts.runs.add(id, {
        ...{ ...record, outcome: "skipped", run: null, triggered: false },
        ...{ messageId: null, enqueuedAt: null, finishedAt: null },
      })
    ).length;
  }
}
