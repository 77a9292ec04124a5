/** The schedules of a run: processed when they are due, beside the messages. */

import type { WorkerSchedules } from "../worker-options.ts";

/** When schedules are processed next, and whether they are being processed. */
export class Occurrences {
  /** On the clock of performance.now(); Infinity if it is not planned. */
  dueAt: number;
  /** Whether schedules are being processed. */
  busy = false;

  constructor(
    private readonly schedules: WorkerSchedules | undefined,
    private readonly hasRoom: () => boolean,
    private readonly onDone: (dispatched: number) => void,
  ) {
    this.dueAt = schedules?.dueNow ? performance.now() : Infinity;
  }

  /** Whether this run processes no more schedules. */
  get done(): boolean {
    return !this.busy && this.dueAt === Infinity;
  }

  /** Processes schedules in `ms`, at `endsAt` at the latest; null: not again. */
  planIn(ms: number | null, endsAt: number): void {
    this.dueAt = ms === null ? Infinity : Math.min(performance.now() + ms, endsAt);
  }

  /** Processes schedules if they are due. @param ready resolves when the tick counts as awake */
  async start(now: number, ready: () => Promise<void>): Promise<void> {
    if (this.busy || now < this.dueAt || !this.schedules) return;
    this.busy = true;
    this.dueAt = Infinity;
    let dispatched = 0;
    try {
      await ready();
      dispatched = await this.schedules.process(this.hasRoom);
    } finally {
      this.busy = false;
      this.onDone(dispatched);
    }
  }
}
