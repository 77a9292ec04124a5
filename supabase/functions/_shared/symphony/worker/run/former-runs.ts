/**
 * Former runs: handlers that were stopped and still work. JavaScript cannot end a handler that ignores its
 * signal. The next attempt at the same message in this process waits for the former run, up to the grace of
 * its definition. A quarantined message waits for all former runs, because it has to run alone.
 */

import type { MessageBus } from "../../bus/bus.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Task } from "./task.ts";

/** A stopped handler that still works. */
export interface FormerRun {
  /** Settles when the handler ends. */
  readonly ended: Promise<unknown>;
  /** End of its grace, on the clock of performance.now(). */
  readonly until: number;
}

/** The former runs of a process, by the id of their message. */
export class FormerRuns {
  readonly #runs = new Map<string, FormerRun>();

  /** Remembers a stopped handler until it ends or its grace is over. */
  add(id: string, run: FormerRun): void {
    const now = performance.now();
    for (const [known, { until }] of this.#runs) if (until <= now) this.#runs.delete(known);
    this.#runs.set(id, run);
    const forget = () => {
      if (this.#runs.get(id) === run) this.#runs.delete(id);
    };
    run.ended.then(forget, forget);
  }

  /** The former run of a message that still works within its grace; undefined if there is none. */
  get(id: string): FormerRun | undefined {
    const run = this.#runs.get(id);
    return run && run.until > performance.now() ? run : undefined;
  }

  /** Waits until every former run has ended, or its grace is over, or the task is stopped. */
  async allEnded(task: Task): Promise<void> {
    for (const { ended, until } of [...this.#runs.values()]) {
      if (task.isStopped) return;
      await task.pause(ended, until);
    }
  }
}

const byBus = new WeakMap<MessageBus, FormerRuns>();

/** The former runs of a bus: all its ticks in this process share them. */
export function formerRunsOf(bus: MessageBus): FormerRuns {
  const known = byBus.get(bus);
  if (known) return known;
  const made = new FormerRuns();
  byBus.set(bus, made);
  return made;
}

/**
 * Waits until the handlers of a stopped task have ended, or their grace is over, or the worker has to end.
 * Meanwhile they are a former run of their message.
 * @param ended settles when the handlers have ended
 */
export async function stoppedHandlersEnd(
  task: Task,
  ended: Promise<void>,
  { bus, formerRuns, log }: {
    readonly bus: MessageBus;
    readonly formerRuns: FormerRuns;
    readonly log: Logger;
  },
): Promise<void> {
  const { id, type, attempts } = task.envelope;
  const graceMs = bus.registry.get(type)?.stopGraceMs ?? 0;
  const until = performance.now() + graceMs;
  formerRuns.add(id, { ended, until });
  if (await task.pause(ended, until) === "late") {
    log.warn("handler_still_runs", { id, type, attempt: attempts, graceMs });
  }
}
