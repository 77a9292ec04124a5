/** Makes the worker of a messenger: what handles messages, and what runs schedules, for a bounded time or for good. */

import { Workers } from "../database/workers.ts";
import { workerQueues } from "../message/runs-on.ts";
import type { Messenger } from "../messenger.ts";
import type { SchedulesRun } from "../scheduler/processing.ts";
import { runSchedules } from "../scheduler/tick-schedules.ts";
import { type ResidentOptions, runResident } from "./resident/resident.ts";
import { routingSync } from "./tick/routing-sync.ts";
import { runTick, type TickOptions, type TickReport } from "./tick/tick.ts";
import { checkLimits, type WorkerLimits, type WorkerReport } from "./worker-options.ts";
import { createWork, runEverywhere, workerParts } from "./work.ts";

/**
 * A messenger's worker. Each method throws a RangeError that names a wrong option, and an OutdatedSchemaError
 * if the schema is too old for this library; nothing is claimed then.
 */
export interface MessengerWorker {
  /**
   * Dispatches what schedules have due, for at most `budgetMs`. It throws nothing but OutdatedSchemaError.
   * @param hasRoom whether another batch may begin; default: yes
   */
  runSchedules(
    options: { readonly budgetMs: number },
    hasRoom?: () => boolean,
  ): Promise<SchedulesRun>;
  /** Claims and handles what is due within `budgetMs`. */
  work(options: WorkerLimits): Promise<WorkerReport>;
  /** Does both as a tick that the database knows of. */
  tick(options: TickOptions): Promise<TickReport>;
  /** Handles messages until its signals end it. */
  resident(options: ResidentOptions): Promise<WorkerReport>;
}

/** Makes the worker of a messenger. */
export function createWorker(messenger: Messenger): MessengerWorker {
  const { supabase, scheduler, config, log, schema } = messenger;
  const parts = workerParts(messenger);
  const work = createWork(messenger, parts);
  const processSchedules: MessengerWorker["runSchedules"] = async (limits, hasRoom) => {
    checkLimits(limits, ["budgetMs"]);
    await schema?.check();
    const options = { ...limits, batchSize: config.schedulerBatchSize, log };
    return await runSchedules(scheduler, { ...options, ...hasRoom && { hasRoom } });
  };
  const declareQueues = queueDeclaration(messenger);
  const tickParts = {
    ...{ supabase, schema, log, runSchedules: processSchedules },
    syncRouting: routingSync(messenger),
    receives: messenger.receivers.size > 0,
    work: async (limits: WorkerLimits, atHome: boolean) => {
      await declareQueues();
      return await work(limits, { isTick: true, atHome });
    },
  };
  return {
    work: (limits) => work(limits),
    runSchedules: processSchedules,
    tick: (limits) => runTick(limits, { ...tickParts, mustSync: () => !scheduler.isSynced }),
    resident: async (options) => {
      await schema?.check();
      return await runResident(
        options,
        messenger,
        (limits) => runEverywhere({ ...parts, ...limits }, messenger),
      );
    },
  };
}

/** Tells the database, once in this process, which queues run on workers. Most projects have none. */
function queueDeclaration({ supabase, bus }: Messenger): () => Promise<void> {
  let queues = workerQueues(bus.registry.values());
  return async () => {
    if (queues.length === 0) return;
    await new Workers(supabase).runOnWorkers(queues);
    queues = [];
  };
}
