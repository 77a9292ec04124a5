/** What a run has done so far: counts it, and tells the definitions' hooks. */

import type { Logger } from "../../runtime/log.ts";
import type { Settlement } from "../../message/outcome.ts";
import type { RetryManager } from "../../retry/manager.ts";
import { FailureLog } from "./failure-log.ts";
import type { WorkerReport } from "../worker-options.ts";
import type { Done } from "./outbox.ts";

/** A run that is done waits for hooks that are not, for so many ms at most. */
const HOOKS_WAIT_MS = 2_000;

/** Counts outcomes that are written. */
export class Tally {
  readonly report: WorkerReport = { claimed: 0, handled: 0, retried: 0, failed: 0 };
  readonly #hooks = new Set<Promise<void>>();
  readonly #failures: FailureLog;
  /** Aborted when hooks are waited for no longer. */
  readonly #end = new AbortController();

  constructor(private readonly retry: RetryManager, log: Logger) {
    this.#failures = new FailureLog(log);
  }

  /**
   * Takes in what was written.
   * @param written of `done`, whose rest was not, or not as it was
   */
  settled(written: readonly Settlement[], done: readonly Done[]): void {
    const isAll = written.length === done.length &&
      written.every((settlement, index) => settlement === done[index]?.settlement);
    const some = isAll ? null : new Map(written.map((one) => [one.id + one.leaseToken, one]));
    for (const { settlement: wanted, envelope } of done) {
      const settlement = some ? some.get(wanted.id + wanted.leaseToken) : wanted;
      if (!settlement) continue;
      const { outcome } = settlement;
      if (outcome.kind === "handled") this.report.handled++;
      else if (outcome.kind === "released" || outcome.kind === "snoozed") this.report.claimed--;
      else {
        if (outcome.kind === "retry") this.report.retried++;
        else this.report.failed++;
        this.#failures.add(envelope, outcome);
        const hook = this.retry.runHooks(envelope, outcome, this.#end.signal);
        this.#hooks.add(hook);
        hook.finally(() => this.#hooks.delete(hook));
      }
    }
    this.#failures.written();
  }

  /**
   * Waits for the hooks that are still running, but not for long: they hold up the end of the run.
   * @param latest not beyond this moment, on the clock of performance.now()
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
