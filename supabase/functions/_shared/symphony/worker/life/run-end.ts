/** When a run ends: its budget is used up, or one of its signals is aborted. */

import type { Logger } from "../../runtime/log.ts";
import type { Change } from "../change.ts";
import { Budget, type BudgetLimits } from "./budget.ts";

/** The limits and signals that end a run. */
export interface RunEndOptions extends BudgetLimits {
  /** Aborted when running handlers have to stop. */
  readonly signal?: AbortSignal;
  /** Aborted when no further message may start. */
  readonly drain?: AbortSignal;
  readonly log: Logger;
}

/** Watches the end of a run. */
export class RunEnd {
  readonly budget: Budget;
  /** Whether no further message may be claimed or started. */
  isNear: boolean;
  readonly #options: RunEndOptions;
  #abortedAt = Infinity;
  /** Aborted when the run is over. */
  readonly #over = new AbortController();

  constructor(options: RunEndOptions, changed: Change) {
    const { signal, drain } = options;
    this.#options = options;
    this.budget = new Budget(options, performance.now());
    this.isNear = signal?.aborted === true || drain?.aborted === true;
    const onAbort = () => {
      this.isNear = true;
      if (signal?.aborted) this.#abortedAt = Math.min(this.#abortedAt, performance.now());
      changed.notify();
    };
    if (signal?.aborted) onAbort();
    for (const one of [signal, drain]) {
      one?.addEventListener("abort", onAbort, { signal: this.#over.signal });
    }
  }

  /** Looks at the budget. @param now on the clock of performance.now() */
  check(now: number): void {
    const spent = this.isNear ? null : this.budget.spent(now);
    if (!spent) return;
    this.isNear = true;
    this.#options.log.debug("budget_spent", { spent });
  }

  /** Whether a message, or a step of one that runs, may start. @param now on the clock of performance.now() */
  mayStart(now: number): boolean {
    this.check(now);
    return !this.isNear;
  }

  /** Whether running handlers have to stop. */
  hasCome(now: number): boolean {
    return now >= this.stopsAt;
  }

  /** When running handlers have to stop, as far as it is known. */
  get stopsAt(): number {
    return Math.min(this.budget.stopsAt, this.#abortedAt);
  }

  /** The run is over: the signals no longer concern it. */
  close(): void {
    this.#over.abort();
  }
}
