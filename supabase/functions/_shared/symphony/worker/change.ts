/** The wait of a worker's loop between two turns. */

import { LONGEST_TIMER_MS } from "./run/task.ts";

/** Wakes the loop when a part of the worker has changed, or at a planned moment. */
export class Change {
  #wake = () => {};
  #failure: { readonly error: unknown } | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;

  /** A part of the worker has changed: the loop takes its next turn. */
  notify(): void {
    this.#wake();
  }

  /** The worker cannot carry on: the loop throws the error. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }

  /**
   * Waits for the next change. The wait may end before its time without one.
   * @param time end of the wait, on the clock of performance.now(); Infinity for none
   * @throws what {@link fail} was given
   */
  async next(time: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      // A timer that fires too early stays: to let it fire for nothing is cheaper than to set it in each turn.
      if (time < this.#firesAt) this.#fireAt(time);
    });
    if (this.#failure) throw this.#failure.error;
  }

  /** Ends the timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #fireAt(time: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = time;
    const inMs = Math.min(Math.max(0, time - performance.now()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#firesAt = Infinity;
      this.#wake();
    }, inMs);
  }
}
