/** When a run asks its tick to rest: at once with empty hands, a moment later while handlers run. */

import type { Logger } from "../log.ts";
import type { WorkerReport, WorkerTick } from "./options.ts";

/** A handler that is done sooner brings the next claim by itself. */
const SOON_MS = 20;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;

/** Asks until the tick rests; a run that is no tick rests from the start. */
export class Rest {
  /** Whether no dispatch counts on this run any more. */
  rested: boolean;
  /** Whether a call is on its way. */
  asking = false;
  /** When to ask next, on the clock of performance.now(); Infinity where that is not planned. */
  askAt = Infinity;
  /** After an answer that asks for patience. */
  #notBefore = -Infinity;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(
    private readonly tick: WorkerTick | undefined,
    private readonly on: {
      /** A message is due. */
      readonly onDue: () => void;
      readonly onAnswer: () => void;
      readonly log: Logger;
    },
  ) {
    this.rested = tick === undefined;
  }

  /** There is something else to do first. */
  interrupt(): void {
    this.askAt = Infinity;
  }

  /** Asks in a moment, unless it is interrupted until then. */
  askSoon(): void {
    if (this.rested || this.asking) return;
    const now = performance.now();
    if (this.askAt === Infinity) this.askAt = Math.max(now + SOON_MS, this.#notBefore);
    if (now >= this.askAt) this.#ask(null);
  }

  /** Asks now. @param report of a run that would be done */
  ask(report: WorkerReport | null): void {
    if (this.rested || this.asking) return;
    this.askAt = this.#notBefore;
    if (performance.now() >= this.askAt) this.#ask(report);
  }

  async #ask(report: WorkerReport | null): Promise<void> {
    this.asking = true;
    this.askAt = Infinity;
    try {
      const { rested, due } = await this.tick?.rest(report) ?? { rested: true, due: false };
      this.rested = rested;
      if (due) this.on.onDue();
      if (rested || due) this.#pauseMs = FIRST_PAUSE_MS;
      else this.#wait();
    } catch (error) {
      this.on.log.warn("rest_failed", { error: String(error) });
      this.#wait();
    }
    this.asking = false;
    this.on.onAnswer();
  }

  #wait(): void {
    this.#notBefore = performance.now() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
