/**
 * Handlers that were stopped and still work. A stop only asks: JavaScript cannot end what does not listen.
 * The next attempt at the same message in this process waits for them, up to the grace of the stop; so
 * does a message that has to run alone, whosesoever they are.
 */

import type { MessageBus } from "../../bus/bus.ts";

/** A stopped handler that still works. */
export interface FormerRun {
  /** Settles when the handler ends. */
  readonly ended: Promise<unknown>;
  /** Later than this it is not waited for, on the clock of performance.now(). */
  readonly until: number;
}

/** The stopped handlers of a process, by the id of their message. */
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

  /** The handler of a message that still works within its grace; undefined where there is none. */
  get(id: string): FormerRun | undefined {
    const run = this.#runs.get(id);
    return run && run.until > performance.now() ? run : undefined;
  }

  /** The handlers that still work, of whatever messages: some may be past their grace. */
  all(): FormerRun[] {
    return [...this.#runs.values()];
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
