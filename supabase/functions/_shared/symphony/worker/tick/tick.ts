/** One tick as the database knows it: registered, alive by heartbeats, at rest, ended. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { Logger } from "../../runtime/log.ts";
import { callRpc } from "../../database/rpc.ts";
import { processShutdown } from "./shutdown.ts";
import {
  emptyReport,
  type SchedulesReport,
  type SchedulesRun,
} from "../../scheduler/processing.ts";
import { showValue } from "../../runtime/inspect.ts";
import {
  checkLimits,
  type RestAnswer,
  type RestRequest,
  type WorkerLimits,
  type WorkerReport,
  type WorkerSchedules,
  type WorkerTick,
} from "../worker-options.ts";

/** What a tick is held to. */
export interface TickOptions
  extends Pick<WorkerLimits, "budgetMs" | "maxMs" | "queues" | "signal"> {
  /**
   * `left`: the tick works on after its answer; dispatches count on it, it may have a successor.
   * `waits`: it serves its caller, does what is due, and no one else knows it.
   */
  readonly caller: "left" | "waits";
  /** Its id, where the database asked for it. */
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

const HEARTBEAT_EVERY_MS = 5_000;
const CALL_FOR_HELP_EVERY_MS = 1_000;
const TIMEOUT_MS = 10_000;
/** Schedules take so much of a tick's time at once, and messages go on beside them. */
const SHARE = 1 / 3;

/** What a tick is made of. */
export interface TickParts {
  readonly supabase: SupabaseClient;
  readonly work: (limits: WorkerLimits) => Promise<WorkerReport>;
  /** Dispatches what schedules have due. Never throws. */
  readonly runSchedules: (options: { readonly budgetMs: number }) => Promise<SchedulesRun>;
  /** Whether schedules are to be processed though none is due: those in code may be new. */
  readonly mustSync: () => boolean;
  readonly log: Logger;
}

/** What a tick did. */
export interface TickReport {
  readonly schedules: SchedulesReport;
  readonly messages: WorkerReport;
}

interface Started {
  readonly id: string;
  readonly proceed: boolean;
  readonly fleet: number;
  readonly schedules_due?: true;
}

/**
 * Runs a tick; one that has nothing to do costs one call.
 * @returns what it did; zeros where it had nothing to do
 * @throws RangeError that names the option which is wrong, or not known
 * @throws TransportError if the database stayed out of reach
 */
export async function runTick(options: TickOptions, parts: TickParts): Promise<TickReport> {
  checkLimits(options, OPTIONS);
  const { caller, id, ...limits } = options;
  if (caller !== "left" && caller !== "waits") {
    throw new RangeError(`caller: has to be left or waits; got ${showValue(caller)}`);
  }
  const call: Call = (name, args = {}) => callRpc(parts.supabase, name, args, TIMEOUT_MS);
  const awake = caller === "left" && !limits.queues;
  const started = await call<Started>("messenger_start_tick", {
    ...{ tick: id ?? null, awake, queues: limits.queues ?? null },
    budget_ms: limits.budgetMs,
  });
  const schedules = new TickSchedules(started.schedules_due ?? false, limits.budgetMs, parts);
  if (!started.proceed) {
    if (parts.mustSync()) await schedules.process();
    return { schedules: schedules.report, messages: noMessages() };
  }
  const presence = new Presence(started, schedules, call, parts.log);
  let report: WorkerReport | null = null;
  try {
    const { drain, stop } = processShutdown();
    const signal = limits.signal ? AbortSignal.any([limits.signal, stop]) : stop;
    report = await parts.work({
      ...limits,
      drain,
      signal,
      schedules,
      ...(awake && { tick: presence }),
    });
    return { schedules: schedules.report, messages: report };
  } finally {
    await presence.end(report);
  }
}

function noMessages(): WorkerReport {
  return { claimed: 0, handled: 0, retried: 0, failed: 0 };
}

type Call = <Answer>(name: string, args?: Readonly<Record<string, unknown>>) => Promise<Answer>;

/** The schedules of a tick: what is due, a share of its time at once. */
class TickSchedules implements WorkerSchedules {
  readonly report: SchedulesReport = emptyReport();
  readonly dueNow: boolean;
  /** Some stay due though they were processed: the next minute's tick tries again. */
  areStuck = false;

  constructor(
    isDue: boolean,
    private readonly budgetMs: number,
    private readonly parts: TickParts,
  ) {
    this.dueNow = isDue || parts.mustSync();
  }

  async process(): Promise<number> {
    const { report, nextDueMs } = await this.parts.runSchedules({
      budgetMs: this.budgetMs * SHARE,
    });
    const { error, ...counts } = report;
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) {
      this.report[name] += counts[name];
    }
    if (error !== undefined) this.report.error = error;
    const moved = report.processed + report.dispatched + report.skipped > 0;
    this.areStuck = error !== undefined || (nextDueMs === 0 && !moved);
    return report.dispatched;
  }
}

/** The tick's row in the database, from its start to its end. */
class Presence implements WorkerTick {
  readonly #heartbeat: ReturnType<typeof setInterval>;
  #isOver = false;
  #calledAt = -Infinity;

  constructor(
    private readonly started: Started,
    private readonly schedules: TickSchedules,
    private readonly call: Call,
    private readonly log: Logger,
  ) {
    this.#heartbeat = setInterval(() => {
      call("messenger_heartbeat_tick", { tick: started.id }).catch(this.#unheard);
    }, HEARTBEAT_EVERY_MS);
  }

  async rest({ report, lingerMs, leftMs }: RestRequest): Promise<RestAnswer> {
    const answer = await this.call<
      { rested: boolean; due: boolean; messages_in_ms?: number; schedules_in_ms?: number }
    >("messenger_rest_tick", {
      ...{ tick: this.started.id, report, linger_ms: lingerMs, left_ms: leftMs },
      schedules: !this.schedules.areStuck,
    });
    const {
      rested,
      due,
      messages_in_ms: messagesInMs = null,
      schedules_in_ms: schedulesInMs = null,
    } = answer;
    const looksAgain = messagesInMs !== null || schedulesInMs !== null;
    this.#isOver = rested && !looksAgain && report !== null;
    return { rested, due, messagesInMs, schedulesInMs };
  }

  async wake(): Promise<void> {
    await this.call("messenger_heartbeat_tick", { tick: this.started.id, awake: true });
  }

  standAside(stalled: boolean): Promise<boolean> {
    return this.call("messenger_stand_aside", {
      ...{ tick: this.started.id, stalled, schedules: !this.schedules.areStuck },
    });
  }

  backlog(): void {
    const now = performance.now();
    if (this.started.fleet <= 1 || now - this.#calledAt < CALL_FOR_HELP_EVERY_MS) return;
    this.#calledAt = now;
    this.call("messenger_grow_fleet").catch(this.#unheard);
  }

  /** @param report null where it broke off */
  async end(report: WorkerReport | null): Promise<void> {
    clearInterval(this.#heartbeat);
    if (this.#isOver) return;
    // One that broke off has no successor, which would break off as well; the minute's tick comes.
    const [successor, schedules] = [report !== null, !this.schedules.areStuck];
    await this.call("messenger_end_tick", { tick: this.started.id, report, successor, schedules })
      .catch(this.#unheard);
  }

  readonly #unheard = (error: unknown) =>
    this.log.warn("tick_call_failed", { tick: this.started.id, error: String(error) });
}
