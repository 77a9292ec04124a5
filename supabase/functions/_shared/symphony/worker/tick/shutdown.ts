/**
 * The end of the process: the hosted runtime announces it by `beforeunload`, with `detail.reason`, when
 * nine tenths of its time, CPU or memory are used up. It may come without, too: leases see to that.
 */

import { WorkerStoppedError } from "../../message/errors.ts";

/** What the runs of this process are told. */
export interface Shutdown {
  /** Aborted when nothing new is to be started. */
  readonly drain: AbortSignal;
  /** Aborted when running handlers have to stop. */
  readonly stop: AbortSignal;
}

/** At the end of its time a worker of 150 s has 15 s left, of which the handlers may use so many ms. */
const GRACE_MS = 10_000;

let shutdown: Shutdown | undefined;

/** The process's own; it listens from the first call on. */
export function processShutdown(): Shutdown {
  return shutdown ??= listen(globalThis);
}

/**
 * Listens for the end.
 * @param target where the event is dispatched
 */
export function listen(target: EventTarget): Shutdown {
  const drain = new AbortController();
  const stop = new AbortController();
  target.addEventListener("beforeunload", (event) => {
    const reason = (event as CustomEvent<{ reason?: unknown } | undefined>).detail?.reason;
    const error = new WorkerStoppedError(`the worker has to end: ${String(reason ?? "unload")}`);
    drain.abort(error);
    if (reason === "wall_clock") setTimeout(() => stop.abort(error), GRACE_MS);
    else stop.abort(error);
  }, { once: true });
  return { drain: drain.signal, stop: stop.signal };
}
