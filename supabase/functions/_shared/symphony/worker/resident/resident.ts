/** A resident worker: it registers with the database, works until it is told to end, and outlives outages. */

import { Workers } from "../../database/workers.ts";
import { workerQueues } from "../../message/runs-on.ts";
import type { Messenger } from "../../messenger.ts";
import type { Logger } from "../../runtime/log.ts";
import { showValue } from "../../runtime/inspect.ts";
import { checkNames } from "../../runtime/option-names.ts";
import { LONGEST_PAUSE_MS, pause } from "../calls.ts";
import { startHeartbeatTimer } from "../life/heartbeat-timer.ts";
import { SeriesCounter } from "../series/series-counter.ts";
import { checkLimits, type WorkerOptions, type WorkerReport } from "../worker-options.ts";
import { createLoopYield } from "./loop-yield.ts";

/**
 * Length of one wait in the database, in ms. A migration that alters the tables waits for its end, for 5 s at most, and
 * the platform ends statements after 8 s.
 */
const WAIT_MS = 3_000;
const LARGEST_CONCURRENCY = 1_000;
/** Interval between two writes of time series. */
const SERIES_INTERVAL_MS = 60_000;

/** Options of a resident worker. */
export interface ResidentOptions {
  /** Claims from these queues; default: those of the messages with `runsOn: "worker"`. */
  readonly queues?: readonly string[];
  /** Handlers that run at once; default: `SYMPHONY_WORKER_CONCURRENCY`. */
  readonly concurrency?: number;
  /** Its name among the ticks, such as the host and the process. */
  readonly name: string;
  /** Aborting it ends the worker: no further message is started, and running handlers may finish. */
  readonly drain: AbortSignal;
  /** Aborting it gives back what still runs. */
  readonly stop: AbortSignal;
}

const OPTIONS = Object.keys(
  { queues: true, concurrency: true, name: true, drain: true, stop: true } satisfies Record<
    keyof ResidentOptions,
    true
  >,
);

/** The options of a resident worker's loop. */
export type ResidentLimits =
  & Required<
    Pick<WorkerOptions, "queues" | "signal" | "drain" | "counts" | "awaitDue" | "yieldToLoop">
  >
  & Pick<WorkerOptions, "budgetMs" | "concurrency" | "series">;

/** Runs the loop of a worker until its signals end it. */
export type Work = (limits: ResidentLimits) => Promise<WorkerReport>;

/**
 * Runs a resident worker until its signals end it.
 * @returns what it did
 * @throws RangeError that names the option which is wrong, or unknown
 * @throws TransportError if the database cannot be reached at the start, or outcomes cannot be written at the end;
 * outages in between are waited for
 */
export async function runResident(
  options: ResidentOptions,
  { supabase, bus, config, log, transport }: Messenger,
  work: Work,
): Promise<WorkerReport> {
  const own = workerQueues(bus.registry.values());
  const queues = checked(options).queues ?? own;
  if (queues.length === 0) {
    throw new RangeError(
      'queues: no message has runsOn: "worker"; name the queues that the worker serves',
    );
  }
  const { name, drain, stop, concurrency = config.workerConcurrency } = options;
  const workers = new Workers(supabase);
  if (own.length > 0) await workers.runOnWorkers(own);
  const id = await workers.start(name, queues);
  log.info("worker_started", { id, name, queues, concurrency });
  const counts: WorkerReport = { claimed: 0, handled: 0, retried: 0, failed: 0 };
  const onError = (error: unknown) =>
    log.warn("worker_call_failed", { worker: id, error: String(error) });
  const heartbeats = startHeartbeatTimer(() => workers.heartbeat(id, counts).catch(onError));
  const series = new SeriesCounter({ transport, log });
  const writes = setInterval(() => void series.write(), SERIES_INTERVAL_MS);
  const limits = {
    ...{ queues, concurrency, counts, drain, signal: stop, budgetMs: Infinity, series },
    yieldToLoop: createLoopYield(),
    awaitDue: () => workers.awaitDue(queues, WAIT_MS),
  };
  let report: WorkerReport | null = null;
  try {
    await workThroughOutages(work, limits, log);
    report = counts;
  } finally {
    heartbeats.stop();
    clearInterval(writes);
    await series.write();
    await workers.end(id, report).catch(onError);
    log.info("worker_ended", { id, name, ...counts });
    log.flush?.();
  }
  return counts;
}

/**
 * Runs the loop, and again after an outage of the database. The messages that it held are delivered again.
 * @throws TransportError if the outage met the end of the worker
 */
async function workThroughOutages(
  work: Work,
  limits: ResidentLimits,
  log: Logger,
): Promise<void> {
  while (!limits.drain.aborted && !limits.signal.aborted) {
    try {
      await work(limits);
    } catch (error) {
      log.error("worker_interrupted", { error: String(error) });
      if (limits.drain.aborted || limits.signal.aborted) throw error;
      await pause(LONGEST_PAUSE_MS);
    }
  }
}

/** @throws RangeError that names the option which is wrong, or unknown */
function checked(options: ResidentOptions): ResidentOptions {
  checkNames(options, OPTIONS);
  const { queues, concurrency = 1, name } = options;
  checkLimits({ budgetMs: 0, ...(queues && { queues }) }, ["budgetMs", "queues"]);
  if (
    !Number.isInteger(concurrency) || concurrency < 1 || concurrency > LARGEST_CONCURRENCY
  ) {
    throw new RangeError(
      `concurrency: has to be a whole number from 1 to ${LARGEST_CONCURRENCY}; got ${
        showValue(concurrency)
      }`,
    );
  }
  if (typeof name !== "string" || name === "" || name.length > 200) {
    throw new RangeError(`name: has to be a text of 1 to 200 characters; got ${showValue(name)}`);
  }
  return options;
}
