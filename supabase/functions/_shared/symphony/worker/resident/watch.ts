/**
 * The watch of a resident worker: while it can take messages and has found none, one call at a time waits in the
 * database until a message is due. A poll brings the message, so a wait that is lost or late loses nothing.
 */

import type { Logger } from "../../runtime/log.ts";
import { LONGEST_PAUSE_MS, pause } from "../calls.ts";
import type { Change } from "../change.ts";
import type { ClaimPlanner } from "../claim/claim-planner.ts";
import type { Duties, RunState } from "../life/run-state.ts";

/** Interval between polls of an idle worker: their sweep finds the messages of workers that were killed. */
const POLL_INTERVAL_MS = 10_000;
const FIRST_PAUSE_MS = 100;

/** The parts of a watch. */
export interface WatchOptions {
  /** Waits for a due message, or a time. @returns whether a message is due */
  readonly awaitDue: () => Promise<boolean>;
  readonly planner: Pick<ClaimPlanner, "quiet" | "leavesDue" | "pollNow">;
  readonly changed: Pick<Change, "notify">;
  readonly log: Logger;
}

/** Tells the claim planner of messages that fall due. The run ends by its signals only. */
export class Watch implements Duties {
  readonly isBusy = false;
  readonly isDone = false;
  readonly #options: WatchOptions;
  #isWaiting = false;
  #polledAt = performance.now();
  #pauseMs = FIRST_PAUSE_MS;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  worked(): void {
    this.#polledAt = performance.now();
  }

  backlog(): void {}

  turn({ stopping, calling, stalledMs }: RunState): void {
    const { planner } = this.#options;
    if (stopping || calling || stalledMs > 0 || this.#isWaiting || !planner.quiet) return;
    this.#wait();
  }

  times(): readonly number[] {
    return [];
  }

  /** Never throws. */
  async #wait(): Promise<void> {
    const { awaitDue, planner, changed, log } = this.#options;
    this.#isWaiting = true;
    try {
      const isDue = await awaitDue();
      this.#pauseMs = FIRST_PAUSE_MS;
      // The wait ended at once, and so would the next: each claim takes a dozen calls to pass that message over.
      if (isDue && planner.leavesDue) await pause(LONGEST_PAUSE_MS);
      if (isDue || performance.now() - this.#polledAt >= POLL_INTERVAL_MS) planner.pollNow();
    } catch (error) {
      log.warn("wait_failed", { error: String(error), pauseMs: this.#pauseMs });
      await pause(this.#pauseMs);
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      planner.pollNow();
    }
    this.#isWaiting = false;
    changed.notify();
  }
}
