/** The seam between the loop of a worker and the life that it is part of: a tick, or a resident worker. */

import type { WorkerReport } from "../worker-options.ts";

/** The state of a run at this turn of its loop. */
export interface RunState {
  /** On the clock of performance.now(). */
  readonly now: number;
  /** No further message is claimed or started. */
  readonly stopping: boolean;
  /** A call that settles or claims is under way. */
  readonly calling: boolean;
  /** The run holds no message, and no call is under way. */
  readonly idle: boolean;
  /** How long the run could not start a message, in ms; 0 if it can. */
  readonly stalledMs: number;
  readonly report: WorkerReport;
}

/** The work of a run beside its messages, and when the run may be over. */
export interface Duties {
  /** Whether a duty is under way that the run has to wait for. */
  readonly isBusy: boolean;
  /** Whether the run may end: it finds nothing more to do. */
  readonly isDone: boolean;
  /** Messages were claimed or outcomes written. */
  worked(): void;
  /** A claim came back full. */
  backlog(): void;
  /** Does what is due at this turn. */
  turn(state: RunState): void;
  /** When the next duty may be due, on the clock of performance.now(). @param filledAt when a slot was filled last */
  times(filledAt: number): readonly number[];
}
