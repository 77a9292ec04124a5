/** What a run may still use up: time, CPU and messages. */

import { cpuShare, processCpuMs } from "./cpu.ts";

/** What one run is held to. */
export interface BudgetLimits {
  /** For so many ms from the start, messages are claimed and started; running ones may finish. */
  readonly budgetMs: number;
  /** After so many ms from the start, running handlers are stopped; never where absent. */
  readonly maxMs?: number;
  /** Beyond so many ms of the process's CPU nothing more is started; 0 and absent are no limit. */
  readonly cpuMs?: number;
  /** So many messages are started; any number where absent. */
  readonly maxMessages?: number;
}

/** Tells when a run has to stop. Times are on the clock of performance.now(). */
export class Budget {
  /** From then on nothing is claimed or started. */
  readonly endsAt: number;
  /** At that moment running handlers are stopped. */
  readonly stopsAt: number;
  /** Messages that may still be started. */
  messages: number;
  readonly #cpuEndsAt: number;
  readonly #cpu: () => number;

  /** @param cpu reads the CPU clock, in ms */
  constructor(limits: BudgetLimits, now: number, cpu: () => number = processCpuMs) {
    this.endsAt = now + limits.budgetMs;
    this.stopsAt = now + (limits.maxMs ?? Infinity);
    this.messages = limits.maxMessages ?? Infinity;
    this.#cpu = cpu;
    this.#cpuEndsAt = cpu() + cpuShare(limits.cpuMs ?? 0);
  }

  /** Why nothing more may be started; null while it may. */
  spent(now: number): "time" | "messages" | "cpu" | null {
    if (now >= this.endsAt) return "time";
    if (this.messages <= 0) return "messages";
    return this.#cpuEndsAt < Infinity && this.#cpu() >= this.#cpuEndsAt ? "cpu" : null;
  }
}
