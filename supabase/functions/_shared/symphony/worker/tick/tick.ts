/** One tick: it registers with the database, works within its budget, and ends. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { SchemaVersion } from "../../database/schema-version.ts";
import { type StartedTick, Ticks } from "../../database/ticks.ts";
import { showValue } from "../../runtime/inspect.ts";
import type { SchedulesReport } from "../../scheduler/processing.ts";
import { checkLimits, type WorkerLimits, type WorkerReport } from "../worker-options.ts";
import { DueSchedules, type DueSchedulesParts } from "./due-schedules.ts";
import { Presence } from "./presence.ts";
import type { SyncRouting } from "./routing-sync.ts";
import { processShutdown } from "./shutdown.ts";

/** Limits of a tick, and who asked for it. */
export interface TickOptions
  extends Pick<WorkerLimits, "budgetMs" | "maxMs" | "queues" | "signal"> {
  /**
   * `left`: the caller has its answer, and the tick works on. Dispatches count on it, and a successor may follow.
   * `waits`: the tick does what is due while its caller waits. Dispatches do not count on it.
   */
  readonly caller: "left" | "waits";
  /** The tick's id, if the database asked for it. */
  readonly id?: string;
}

const OPTIONS = Object.keys(
  {
    budgetMs: true,
    maxMs: true,
    queues: true,
    signal: true,
    caller: true,
    id: true,
  } satisfies Record<keyof TickOptions, true>,
);

/** The parts of a tick. */
export interface TickParts extends DueSchedulesParts {
  readonly supabase: SupabaseClient;
  /** Whether the schema is new enough; null if it need not be asked. */
  readonly schema: SchemaVersion | null;
  readonly syncRouting: SyncRouting;
  /** Whether messages may be due on other transports, although none is at home. */
  readonly receives: boolean;
  /** Claims and handles messages. @param atHome whether some may be due at home */
  readonly work: (limits: WorkerLimits, atHome: boolean) => Promise<WorkerReport>;
}

/** Counts of what a tick did. */
export interface TickReport {
  readonly schedules: SchedulesReport;
  readonly messages: WorkerReport;
}

/**
 * Runs a tick. A tick that has nothing to do costs one call.
 * @returns what it did; zeros if it had nothing to do
 * @throws RangeError that names the option which is wrong, or unknown
 * @throws OutdatedSchemaError if the schema is too old for this library; nothing was claimed
 * @throws TransportError if the database stayed out of reach
 */
export async function runTick(options: TickOptions, parts: TickParts): Promise<TickReport> {
  const { caller, id, ...limits } = checked(options);
  const ticks = new Ticks(parts.supabase);
  const awake = caller === "left" && !limits.queues;
  const { budgetMs, queues } = limits;
  const started = await register(ticks, { id, awake, queues, budgetMs }, parts.schema);
  const hasNewRoutes = await parts.syncRouting(started.routing);
  const schedules = new DueSchedules(started.schedulesDue, budgetMs, parts);
  if (!started.proceed) {
    if (parts.mustSync()) await schedules.process();
    const messages = parts.receives || hasNewRoutes
      ? await parts.work(limits, false)
      : { claimed: 0, handled: 0, retried: 0, failed: 0 };
    return { schedules: schedules.report, messages };
  }
  const presence = new Presence(ticks, started, schedules, parts.log);
  let report: WorkerReport | null = null;
  try {
    const { drain, stop } = processShutdown();
    const signal = limits.signal ? AbortSignal.any([limits.signal, stop]) : stop;
    const tick = awake ? { tick: presence } : {};
    report = await parts.work({ ...limits, drain, signal, schedules, ...tick }, true);
    return { schedules: schedules.report, messages: report };
  } finally {
    await presence.end(report);
  }
}

/** Registers the tick, and ends it if the schema is too old for this library. */
async function register(
  ticks: Ticks,
  tick: Parameters<Ticks["start"]>[0],
  schema: SchemaVersion | null,
): Promise<StartedTick> {
  const started = await ticks.start(tick).catch(async (error) => {
    throw await schema?.explain(error) ?? error;
  });
  try {
    schema?.judge(started.version);
  } catch (error) {
    // Without a successor, which would be ended in the same way.
    const ended = { report: null, successor: false, schedules: false };
    await ticks.end(started.id, ended).catch(() => {});
    throw error;
  }
  return started;
}

/** @throws RangeError that names the option which is wrong, or unknown */
function checked(options: TickOptions): TickOptions {
  checkLimits(options, OPTIONS);
  const { caller } = options;
  if (caller !== "left" && caller !== "waits") {
    throw new RangeError(`caller: has to be left or waits; got ${showValue(caller)}`);
  }
  return options;
}
