/** Puts the parts together: one messenger for each process of a function. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { MessageBus } from "./bus/bus.ts";
import { type Config, readConfig } from "./runtime/config.ts";
import { createLogger, type Logger } from "./runtime/log.ts";
import { createRegistry } from "./message/registry.ts";
import type { MessageDefinition } from "./message/definition.ts";
import type { Middleware } from "./bus/middleware.ts";
import { checkNames } from "./runtime/option-names.ts";
import { RetryManager } from "./retry/manager.ts";
import { ExponentialBackoffRetryStrategy, type RetryStrategy } from "./retry/strategy.ts";
import type { DeclaredSchedule } from "./scheduler/declared.ts";
import type { SchedulesRun } from "./scheduler/processing.ts";
import { Scheduler } from "./scheduler/scheduler.ts";
import { runSchedules } from "./scheduler/tick-schedules.ts";
import { SupabaseTransport } from "./transport/supabase.ts";
import type { Transport } from "./transport/transport.ts";
import { checkLimits, type WorkerLimits, type WorkerReport } from "./worker/worker-options.ts";
import { ProgressReporter } from "./worker/run/progress.ts";
import { runTick, type TickOptions, type TickReport } from "./worker/tick/tick.ts";
import { runWorker } from "./worker/worker.ts";

/** Spreads a Retry-After upwards where a type has no jitter: those who were told the same wait apart. */
const RETRY_AFTER_JITTER = 0.1;

/** What a messenger is made of. */
export interface MessengerOptions {
  /** Made with a secret key. */
  readonly supabase: SupabaseClient;
  readonly messages: readonly MessageDefinition[];
  /** Schedules declared in code; the table's are left alone where absent. */
  readonly schedules?: readonly DeclaredSchedule[];
  readonly middleware?: readonly Middleware[];
  /** For types that have none of their own; exponential backoff with its defaults where absent. */
  readonly strategy?: RetryStrategy;
  /** Where messages are kept; Postgres over `supabase` where absent. */
  readonly transport?: Transport;
  /** The environment's settings where absent. */
  readonly config?: Config;
  readonly log?: Logger;
}

/** The parts of a bus that work together. */
export interface Messenger {
  readonly bus: MessageBus;
  readonly transport: Transport;
  readonly retry: RetryManager;
  readonly scheduler: Scheduler;
  readonly config: Config;
  readonly log: Logger;
  /** Dispatches what schedules have due, for at most `budgetMs`. Throws nothing but a RangeError for wrong options. */
  runSchedules(options: { readonly budgetMs: number }): Promise<SchedulesRun>;
  /** Claims and handles what is due within `budgetMs`. Throws a RangeError that names a wrong option. */
  work(options: WorkerLimits): Promise<WorkerReport>;
  /** Does both as a tick that the database knows of. */
  tick(options: TickOptions): Promise<TickReport>;
}

const OPTIONS = Object.keys(
  {
    supabase: true,
    messages: true,
    schedules: true,
    middleware: true,
    strategy: true,
    transport: true,
    config: true,
    log: true,
  } satisfies Record<keyof MessengerOptions, true>,
);

/**
 * Makes a messenger.
 * @throws RangeError if a definition or a setting is wrong
 */
export function createMessenger(options: MessengerOptions): Messenger {
  checkNames(options, OPTIONS);
  const config = options.config ?? readConfig();
  const log = options.log ?? createLogger({ level: config.logLevel });
  const registry = createRegistry(options.messages);
  const transport = options.transport ?? new SupabaseTransport(options.supabase);
  const maxRetryAfter = config.maxRetryAfterMs;
  const strategy = options.strategy ?? new ExponentialBackoffRetryStrategy({ maxRetryAfter });
  const retry = new RetryManager({
    strategy,
    transport,
    registry,
    log,
    maxRetryAfter,
    retryAfterJitter: RETRY_AFTER_JITTER,
  });
  const bus = new MessageBus({ registry, transport, middleware: options.middleware ?? [] });
  const scheduler = new Scheduler({
    supabase: options.supabase,
    bus,
    log,
    ...(options.schedules && { declared: options.schedules }),
  });
  const progress = new ProgressReporter({ transport, log });
  const work: Messenger["work"] = async (limits: WorkerLimits) => {
    checkLimits(limits);
    return await runWorker({
      cpuMs: config.tickCpuMs,
      maxMessages: config.tickMaxMessages,
      ...limits,
      transport,
      bus,
      retry,
      log,
      supabase: options.supabase,
      batchSize: config.workerBatchSize,
      concurrency: config.workerConcurrency,
      leaseMs: config.leaseMs,
      progress,
    });
  };
  const processSchedules: Messenger["runSchedules"] = async (limits) => {
    checkLimits(limits, ["budgetMs"]);
    const { budgetMs } = limits;
    return await runSchedules(scheduler, { budgetMs, batchSize: config.schedulerBatchSize, log });
  };
  const parts = { supabase: options.supabase, work, runSchedules: processSchedules, log };
  return {
    bus,
    transport,
    retry,
    scheduler,
    config,
    log,
    runSchedules: processSchedules,
    work,
    tick: (limits) => runTick(limits, { ...parts, mustSync: () => !scheduler.isSynced }),
  };
}
