/** Makes the worker of a messenger: what handles messages, and what runs schedules, for a bounded time. */

import type { Messenger } from "../messenger.ts";
import type { SchedulesRun } from "../scheduler/processing.ts";
import { runSchedules } from "../scheduler/tick-schedules.ts";
import { ProgressReporter } from "./run/progress.ts";
import { runTick, type TickOptions, type TickReport } from "./tick/tick.ts";
import { checkLimits, type WorkerLimits, type WorkerReport } from "./worker-options.ts";
import { runWorker } from "./worker.ts";

/**
 * A messenger's worker. Each method throws a RangeError that names a wrong option, and an OutdatedSchemaError
 * if the schema is too old for this library; nothing is claimed then.
 */
export interface MessengerWorker {
  /** Dispatches what schedules have due, for at most `budgetMs`. It throws nothing but OutdatedSchemaError. */
  runSchedules(options: { readonly budgetMs: number }): Promise<SchedulesRun>;
  /** Claims and handles what is due within `budgetMs`. */
  work(options: WorkerLimits): Promise<WorkerReport>;
  /** Does both as a tick that the database knows of. */
  tick(options: TickOptions): Promise<TickReport>;
}

/** Makes the worker of a messenger. */
export function createWorker(messenger: Messenger): MessengerWorker {
  const { supabase, bus, transport, retry, scheduler, config, log, schema } = messenger;
  const progress = new ProgressReporter({ transport, log });
  const work: MessengerWorker["work"] = async (limits) => {
    checkLimits(limits);
    await schema?.check();
    return await runWorker({
      cpuMs: config.tickCpuMs,
      maxMessages: config.tickMaxMessages,
      ...limits,
      ...{ supabase, bus, transport, retry, log, progress },
      batchSize: config.workerBatchSize,
      concurrency: config.workerConcurrency,
      leaseMs: config.leaseMs,
    });
  };
  const processSchedules: MessengerWorker["runSchedules"] = async (limits) => {
    checkLimits(limits, ["budgetMs"]);
    await schema?.check();
    const { budgetMs } = limits;
    return await runSchedules(scheduler, { budgetMs, batchSize: config.schedulerBatchSize, log });
  };
  const parts = { supabase, schema, work, runSchedules: processSchedules, log };
  return {
    work,
    runSchedules: processSchedules,
    tick: (limits) => runTick(limits, { ...parts, mustSync: () => !scheduler.isSynced }),
  };
}
