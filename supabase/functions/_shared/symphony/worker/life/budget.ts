/** The budget of a run: time, CPU and messages. */

import { cpuShare, processCpuMs } from "./cpu.ts";

/** Limits of one run. */
export interface BudgetLimits {
  /** Time, in ms from the start, in which messages are claimed and started. Running ones may finish later. */
  readonly budgetMs: number;
  /** Time, in ms from the start, after which running handlers are stopped; no limit by default. */
  readonly maxMs?: number;
  /** CPU time of the process, in ms, after which no message is started; 0, the default, is no limit. */
  readonly cpuMs?: number;
  /** Most messages that are started; no limit by default. */
  readonly maxMessages?: number;
}

/** Tells when a run has to stop. Times are on the clock of performance.now(). */
export class Budget {
  /** From this moment on no message is claimed or started. */
  readonly endsAt: number;
  /** At this moment running handlers are stopped. */
  readonly stopsAt: number;
  /** Messages that may still be started. */
  messages: number;
  readonly #cpuEndsAt: number;
  /** Half of the CPU is used up. */
  readonly #cpuHalfAt: number;
  readonly #cpu: () => number;

  /** @param cpu reads the CPU clock, in ms */
  constructor(limits: BudgetLimits, now: number, cpu: () => number = processCpuMs) {
    this.endsAt = now + limits.budgetMs;
    this.stopsAt = now + (limits.maxMs ?? Infinity);
    this.messages = limits.maxMessages ?? Infinity;
    this.#cpu = cpu;
    const [used, share] = [cpu(), cpuShare(limits.cpuMs ?? 0)];
    this.#cpuEndsAt = used + share;
    this.#cpuHalfAt = used + share / 2;
  }

  /** Whether half of the CPU is used up: what schedules still have due leaves the rest to messages. */
  get isHalfSpent(): boolean {
    return this.#cpuHalfAt < Infinity && this.#cpu() >= this.#cpuHalfAt;
  }

  /** Which part of the budget is used up; null while messages may be started. */
  spent(now: number): "time" | "messages" | "cpu" | null {
    if (now >= this.endsAt) return "time";
    if (this.messages <= 0) return "messages";
    return this.#cpuEndsAt < Infinity && this.#cpu() >= this.#cpuEndsAt ? "cpu" : null;
  }
}
