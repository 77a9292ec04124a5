/** The run report: counts outcomes that were written, logs failures, and calls the definitions' hooks. */

import type { Settlement } from "../../message/outcome.ts";
import type { RetryManager } from "../../retry/manager.ts";
import type { Logger } from "../../runtime/log.ts";
import type { SeriesCounter } from "../series/series-counter.ts";
import type { WorkerReport } from "../worker-options.ts";
import { FailureLog } from "./failure-log.ts";
import type { Done } from "./settle-buffer.ts";

/** Longest time that a finished run waits for its hooks. */
const HOOKS_WAIT_MS = 2_000;

/** Keeps the report of one run. */
export class RunReport {
  readonly #hooks = new Set<Promise<void>>();
  readonly #failures: FailureLog;
  /** Aborted when the run no longer waits for hooks. */
  readonly #end = new AbortController();

  /**
   * @param counts of the runs before, to which this run adds its own
   * @param series counts for the time series
   */
  constructor(
    private readonly retry: RetryManager,
    log: Logger,
    readonly counts: WorkerReport = { claimed: 0, handled: 0, retried: 0, failed: 0 },
    private readonly series?: SeriesCounter,
  ) {
    this.#failures = new FailureLog(log);
  }

  /**
   * Counts outcomes that were written.
   * @param written settlements as they were written: a refused one may have another outcome than in `done`
   * @param done what the worker wanted to write; a message that is not in `written` was not settled
   */
  settled(written: readonly Settlement[], done: readonly Done[]): void {
    const isAll = written.length === done.length &&
      written.every((settlement, index) => settlement === done[index]?.settlement);
    const some = isAll ? null : new Map(written.map((one) => [one.id + one.leaseToken, one]));
    for (const { settlement: wanted, envelope } of done) {
      const settlement = some ? some.get(wanted.id + wanted.leaseToken) : wanted;
      if (settlement !== wanted) this.#correct(envelope, wanted, settlement);
      if (settlement) this.#count(settlement, envelope);
    }
    this.#failures.written();
  }

  /** The outcomes could not be written: their messages are delivered again. */
  lost(done: readonly Done[]): void {
    for (const { envelope, settlement } of done) this.#correct(envelope, settlement, undefined);
  }

  /** Another outcome was written than the time series has counted, or none. */
  #correct(
    envelope: Done["envelope"],
    wanted: Settlement,
    settlement: Settlement | undefined,
  ): void {
    this.series?.ended(envelope, wanted.outcome, -1);
    if (settlement) this.series?.ended(envelope, settlement.outcome);
  }

  #count({ outcome }: Settlement, envelope: Done["envelope"]): void {
    switch (outcome.kind) {
      case "handled":
        this.counts.handled++;
        return;
      case "released":
      case "snoozed":
      case "parked":
        this.counts.claimed--;
        return;
      case "retry":
        // It counts once its row is deleted.
        if (outcome.ended !== undefined) {
          this.counts.claimed--;
          return;
        }
        this.counts.retried++;
        break;
      case "dead":
        this.counts.failed++;
    }
    this.#failures.add(envelope, outcome);
    const hook = this.retry.runHooks(envelope, outcome, this.#end.signal);
    this.#hooks.add(hook);
    hook.finally(() => this.#hooks.delete(hook));
  }

  /**
   * Waits for hooks that still run, for two seconds at most: they hold up the end of the run.
   * @param latest end of the wait, on the clock of performance.now()
   */
  async hooksDone(latest: number): Promise<void> {
    if (this.#hooks.size === 0) return;
    const waitMs = Math.max(0, Math.min(HOOKS_WAIT_MS, latest - performance.now()));
    const error = new Error("the hook still runs, and the worker has to end");
    const timer = setTimeout(() => this.#end.abort(error), waitMs);
    await Promise.all(this.#hooks);
    clearTimeout(timer);
  }

  /** Writes the last log lines. */
  close(): void {
    this.#failures.flush();
  }
}
