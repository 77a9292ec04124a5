/** The handover: a run that cannot take messages asks for other ticks to take them. */

import type { TickCalls } from "./tick-calls.ts";

/** With no slot free for this long, in ms, other ticks take what comes in. */
export const STALLED_AFTER_MS = 1_000;

/** Asks for other ticks, once for each stall and once at the end. */
export class Handover {
  /** Whether other ticks take what comes in until a handler of this run has ended. */
  isAside = false;
  #refusedAt = -Infinity;
  /** Whether outcomes were written since the run asked for other ticks. */
  #hasWorked = true;

  constructor(private readonly calls: TickCalls) {}

  /** Outcomes were written, or messages claimed. */
  worked(): void {
    this.#hasWorked = true;
  }

  /** The run stalls: other ticks take what comes in until a handler of this run has ended. */
  async standAside(now: number): Promise<void> {
    if (now - this.#refusedAt < STALLED_AFTER_MS) return;
    this.isAside = true;
    if (await this.calls.standAside(true)) return;
    this.isAside = false;
    this.#refusedAt = performance.now();
  }

  /** The run claims no more: other ticks take over, while its handlers may still work. */
  leave(): void {
    if (!this.#hasWorked) return;
    this.#hasWorked = false;
    this.calls.standAside(false);
  }
}
