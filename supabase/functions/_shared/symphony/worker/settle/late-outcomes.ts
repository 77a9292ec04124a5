/**
 * Late outcomes: a trigger of the project's own refuses them for now, such as by a lock or a lost connection. They leave
 * their call, so that the others of it are settled at once and its claim is made, and each is tried again by itself.
 */

import { FIRST_PAUSE_MS, LONGEST_PAUSE_MS, pause } from "../calls.ts";
import type { Done } from "./settle-buffer.ts";

/** For how long an outcome is tried again, in ms. */
const TRIED_FOR_MS = 10_000;
/** Most outcomes that wait at once. A further one ends at once, because the calls for them would be a load of their own. */
const MOST = 20;

/** Tries late outcomes again, with pauses, until each is written or its time is over. */
export class LateOutcomes {
  /** Outcomes, and until when they are tried, on the clock of performance.now(). */
  readonly #waiting = new Map<readonly Done[], number>();
  #isRunning = false;
  #isClosed = false;

  /**
   * @param settle writes an outcome, which was taken apart, or ends it if it may not wait any longer; returns whether it
   * still waits, and never rejects
   * @param onEnd called when an outcome no longer waits
   */
  constructor(
    private readonly settle: (taken: readonly Done[], mayWait: boolean) => Promise<boolean>,
    private readonly onEnd: () => void,
  ) {}

  /** Whether no outcome waits. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** How many further outcomes may wait. */
  get room(): number {
    return MOST - this.#waiting.size;
  }

  /** Tries an outcome again from now on. @param taken the outcome, taken apart */
  add(taken: readonly Done[]): void {
    this.#waiting.set(taken, performance.now() + TRIED_FOR_MS);
    if (!this.#isRunning) void this.#run();
  }

  /** The run is over: no outcome is tried again. */
  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let pauseMs = FIRST_PAUSE_MS; this.#waiting.size > 0; pauseMs *= 2) {
      await pause(Math.min(pauseMs, LONGEST_PAUSE_MS));
      for (const [taken, until] of [...this.#waiting]) {
        if (this.#isClosed) return;
        if (await this.settle(taken, performance.now() < until)) continue;
        this.#waiting.delete(taken);
        this.onEnd();
      }
    }
    this.#isRunning = false;
  }
}
