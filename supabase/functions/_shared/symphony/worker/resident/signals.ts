/**
 * The signals that end a resident worker: the first lets running handlers finish within a grace period, the
 * second gives back at once what still runs.
 */

import { WorkerStoppedError } from "../../message/errors.ts";
import type { Logger } from "../../runtime/log.ts";

/** The process that signals end. */
export interface SignalsOptions {
  /** How long running handlers may work after the first signal, in ms. */
  readonly graceMs: number;
  /** Time to write what is given back, in ms. After it the process ends, and the leases run out; default: 5,000. */
  readonly giveBackMs?: number;
  /**
   * Time in which the same signal counts once, in ms; default: 1,000. Ctrl-C reaches a whole group of processes,
   * `systemctl stop` all of a service, and npx and the command pass on what they got: one request comes two to four
   * times.
   */
  readonly sameWithinMs?: number;
  /** Calls back for each signal that asks the process to end. */
  readonly onSignal: (callback: (signal: string) => void) => void;
  /** Ends the process. */
  readonly exit: (code: number) => void;
  readonly log: Logger;
}

/** Listens from now on. @returns the signals of the worker's run */
export function listenForSignals(
  { graceMs, giveBackMs = 5_000, sameWithinMs = 1_000, onSignal, exit, log }: SignalsOptions,
): { readonly drain: AbortSignal; readonly stop: AbortSignal } {
  const drain = new AbortController();
  const stop = new AbortController();
  const giveBack = (reason: string) => {
    if (stop.signal.aborted) return;
    log.warn("worker_gives_back", { reason });
    stop.abort(new WorkerStoppedError(`the worker has to end: ${reason}`));
    setTimeout(() => exit(1), giveBackMs);
  };
  let first: { readonly signal: string; readonly at: number } | undefined;
  onSignal((signal) => {
    if (first) {
      const isSame = signal === first.signal && performance.now() - first.at < sameWithinMs;
      return isSame ? undefined : giveBack(`a second ${signal}`);
    }
    first = { signal, at: performance.now() };
    log.info("worker_drains", { signal, graceMs });
    drain.abort(new WorkerStoppedError(`the worker has to end: ${signal}`));
    setTimeout(() => giveBack(`${signal}, and the grace period is over`), graceMs);
  });
  return { drain: drain.signal, stop: stop.signal };
}
