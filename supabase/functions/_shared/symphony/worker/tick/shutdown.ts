/**
 * The end of the process. The hosted runtime announces it by `beforeunload`, with `detail.reason`, when nine
 * tenths of the time, CPU or memory are used up. After an end without it, the leases run out.
 */

import { WorkerStoppedError } from "../../message/errors.ts";

/** Signals to the runs of this process. */
export interface Shutdown {
  /** Aborted when no further message may start. */
  readonly drain: AbortSignal;
  /** Aborted when running handlers have to stop. */
  readonly stop: AbortSignal;
}

/** Time for running handlers after the announcement: a process that may live for 150 s has 15 s left then. */
const GRACE_MS = 10_000;

let shutdown: Shutdown | undefined;

/** The signals of this process, which listens from the first call on. */
export function processShutdown(): Shutdown {
  return shutdown ??= listen(globalThis);
}

/**
 * Listens for the end of the process.
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
