/** One run over all transports of a messenger: home's worker, and beside it one for each transport that it receives. */

import { ReservedIds } from "../bus/reserved-ids.ts";
import type { Registry } from "../message/registry.ts";
import { workerQueues } from "../message/runs-on.ts";
import type { Messenger } from "../messenger.ts";
import { added, type ReceivingRun, runBeside } from "./receiving.ts";
import { withConnections, withRelays } from "./relay/beside-home.ts";
import { ProgressReporter } from "./run/progress.ts";
import type { SlotPool } from "./run/slot-pool.ts";
import { SeriesCounter } from "./series/series-counter.ts";
import {
  checkLimits,
  type WorkerLimits,
  type WorkerOptions,
  type WorkerReport,
} from "./worker-options.ts";
import { runWorker } from "./worker.ts";

/** Options of a run. By default it is no tick, and works on all transports. */
export interface WorkOptions {
  /** Whether it is a tick, which has the limits of a function. */
  readonly isTick?: boolean;
  /** False: nothing is due at home, and only the other transports are received. */
  readonly atHome?: boolean;
}

/** The parts of a worker that are the same for all runs of a process. */
export type WorkerParts = Omit<WorkerOptions, keyof WorkerLimits>;

/** Makes the parts of a messenger's workers. */
export function workerParts(messenger: Messenger): WorkerParts {
  const { supabase, bus, transport, retry, config, log } = messenger;
  const progress = new ProgressReporter({ transport, log });
  return {
    ...{ supabase, bus, transport, retry, log, progress, ids: new ReservedIds(transport) },
    batchSize: config.workerBatchSize,
    concurrency: config.workerConcurrency,
    leaseMs: config.leaseMs,
  };
}

/**
 * Makes the function that claims and handles what is due within its limits.
 * @returns throws a RangeError that names a wrong limit, and OutdatedSchemaError
 */
export function createWork(messenger: Messenger, parts: WorkerParts) {
  const { transport: home, config, log, schema } = messenger;
  const { tickCpuMs: cpuMs, tickMaxMessages: maxMessages } = config;
  return async (limits: WorkerLimits, options: WorkOptions = {}): Promise<WorkerReport> => {
    checkLimits(limits);
    await schema?.check();
    const series = home.recordSeries && new SeriesCounter({ transport: home, log });
    const { isTick = false, atHome = true } = options;
    const all = { cpuMs, maxMessages, ...limits, ...parts, isTick, series };
    try {
      return await runEverywhere(all, messenger, atHome);
    } finally {
      await series?.write();
    }
  };
}

/**
 * Runs home's worker, and beside it a relay for each other transport, and a worker for each that is received.
 * @param atHome false leaves home out
 */
export async function runEverywhere(
  options: WorkerOptions,
  messenger: Messenger,
  atHome = true,
): Promise<WorkerReport> {
  const { receivers, router } = messenger;
  if (!router && receivers.size === 0) return await runWorker(options);
  const home = (pool?: SlotPool) =>
    withRelays(messenger, options, async () => {
      if (!atHome) return NOTHING;
      const report = await runWorker({ ...options, pool });
      await claimsNoMore(options);
      return report;
    });
  return await withConnections(
    messenger,
    () =>
      receivers.size === 0
        ? home()
        : runBeside(home, { ...options, receivers, ...receiving(options, messenger) }),
  );
}

/**
 * Lets other ticks take what is dispatched at home: relays and workers of other transports may keep this tick for long
 * after its worker at home has ended. Never throws.
 */
async function claimsNoMore({ tick, log }: WorkerOptions): Promise<void> {
  await tick?.standAside(false).catch((error) =>
    log.warn("tick_call_failed", { call: "stand_aside", error: String(error) })
  );
}

const NOTHING: WorkerReport = { claimed: 0, handled: 0, retried: 0, failed: 0 };

/** The runs of other transports. They end with the budget of the whole, and are no tick that the database knows of. */
function receiving(
  { tick: _, schedules: __, awaitDue: ___, counts, ...all }: WorkerOptions,
  { bus, log }: Messenger,
) {
  const queues = all.queues ?? tickQueues(bus.registry);
  const endsAt = performance.now() + all.budgetMs;
  const stopsAt = performance.now() + (all.maxMs ?? Infinity);
  return {
    isOver: () =>
      performance.now() >= endsAt || all.signal?.aborted === true || all.drain?.aborted === true,
    run: async ({ transport, ...more }: ReceivingRun) => {
      const progress = new ProgressReporter({ transport, log });
      const now = performance.now();
      const limits = { budgetMs: Math.max(0, endsAt - now), maxMs: Math.max(0, stopsAt - now) };
      const report = await runWorker({
        ...{ ...all, ...more, ...limits, transport, progress },
        ...(queues && { queues }),
      });
      if (counts) Object.assign(counts, added(counts, report));
      return report;
    },
  };
}

/** The queues that ticks serve, where some run on workers only; undefined for all. */
function tickQueues(registry: Registry): readonly string[] | undefined {
  const definitions = [...registry.values()];
  if (workerQueues(definitions).length === 0) return undefined;
  return [...new Set(definitions.flatMap((one) => one.runsOn === "tick" ? [one.queue] : []))];
}
