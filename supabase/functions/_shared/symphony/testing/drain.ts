/** Runs everything that is due in a test messenger, with a bound in real time. */

import type { Messenger } from "../messenger.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import { createWorker, type MessengerWorker } from "../worker/create-worker.ts";
import type { WorkerReport } from "../worker/worker-options.ts";
import type { TestTransport } from "./test-transport.ts";

/** Options of `drain`. */
export interface DrainOptions {
  /** How long the drain may take, in ms of real time. */
  readonly maxMs?: number;
}

/** How long handlers may take to end after their signal is aborted, in ms. */
const GRACE_MS = 1_000;

/** The real time that a drain has. */
interface Limit {
  /** On the clock of performance.now(). Handlers that never wait for anything starve the timer. */
  readonly endsAt: number;
  readonly stop: AbortController;
  /** Messages that ran when the time was over. */
  readonly stopped: string[];
}

/** Drains a messenger, one drain at a time. */
export class Drainer {
  #isDraining = false;
  readonly #worker: MessengerWorker;

  constructor(
    private readonly messenger: Messenger,
    private readonly transport: TestTransport,
  ) {
    this.#worker = createWorker(messenger);
  }

  /**
   * Runs what is due until nothing is.
   * @throws Error if another drain is under way, if the time is over and the call gave none, or if
   * handlers do not end when their signal is aborted
   */
  async drain(options: DrainOptions): Promise<WorkerReport> {
    checkNames(options, ["maxMs"]);
    const { maxMs = this.messenger.config.tickMaxMs } = options;
    if (!(typeof maxMs === "number" && maxMs > 0)) {
      throw new RangeError(`maxMs: is no time (was ${showValue(maxMs)}); give ms, more than 0`);
    }
    if (this.#isDraining) {
      throw new Error("drain: another drain is under way; await it before you drain again");
    }
    this.#isDraining = true;
    const endsAt = performance.now() + maxMs;
    const limit: Limit = { endsAt, stop: new AbortController(), stopped: [] };
    const timer = setTimeout(() => {
      limit.stopped.push(...this.transport.running.map(({ id, type }) => `${type} (id ${id})`));
      limit.stop.abort();
    }, maxMs);
    try {
      const report = await this.#untilNothingIsDue(limit, maxMs);
      if (isOver(limit) && options.maxMs === undefined) throw tookTooLong(limit, maxMs);
      return report;
    } finally {
      clearTimeout(timer);
      this.#isDraining = false;
    }
  }

  /** Handlers may make schedules, and schedules make messages: until a round dispatches nothing more. */
  async #untilNothingIsDue(limit: Limit, maxMs: number): Promise<WorkerReport> {
    const total = { claimed: 0, handled: 0, retried: 0, failed: 0 };
    for (let dispatched = 1; dispatched > 0 && !isOver(limit);) {
      const { report: schedules } = await this.#worker.runSchedules({ budgetMs: maxMs });
      if (schedules.error !== undefined) throw new Error(`schedules: ${schedules.error}`);
      dispatched = schedules.dispatched;
      const report = await this.#work(limit, maxMs);
      for (const name of ["claimed", "handled", "retried", "failed"] as const) {
        total[name] += report[name];
      }
    }
    return total;
  }

  /** One run of the worker, without the limits of the platform. */
  async #work(limit: Limit, maxMs: number): Promise<WorkerReport> {
    const { signal } = limit.stop;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => {
        timer = setTimeout(() => reject(didNotEnd(limit, maxMs)), GRACE_MS);
      }, { once: true });
    });
    const work = this.#worker.work({
      budgetMs: Math.max(0, limit.endsAt - performance.now()),
      ...{ cpuMs: 0, maxMessages: Infinity },
      signal,
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function isOver({ endsAt, stop }: Limit): boolean {
  return stop.signal.aborted || performance.now() >= endsAt;
}

function tookTooLong({ stopped }: Limit, maxMs: number): Error {
  const what = stopped.length > 0
    ? `running then: ${stopped.join(", ")}`
    : "messages kept coming; does a handler dispatch its own message again?";
  return new Error(
    `drain: was not done after ${maxMs} ms of real time; ${what}. ` +
      "A drain that has to take longer, or is to be cut off, gives its time: drain({ maxMs })",
  );
}

function didNotEnd({ stopped }: Limit, maxMs: number): Error {
  return new Error(
    `drain: handlers were stopped after ${maxMs} ms of real time and still ran ${GRACE_MS} ms ` +
      `later: ${stopped.join(", ")}. They have to end when ctx.signal is aborted`,
  );
}
