/** What a worker is made of, what a run is held to, and what it tells. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus/bus.ts";
import type { Logger } from "../runtime/log.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { RetryManager } from "../retry/manager.ts";
import type { Transport } from "../transport/transport.ts";
import type { BudgetLimits } from "./tick/budget.ts";
import type { Gate } from "./run/gate.ts";
import type { ProgressReporter } from "./run/progress.ts";

/** What one run is held to. */
export interface WorkerLimits extends BudgetLimits {
  /** Only these queues; all where absent. */
  readonly queues?: readonly string[];
  /** Aborting it ends the run: nothing new is started, running handlers are stopped. */
  readonly signal?: AbortSignal;
  /** Aborting it ends the run more gently: nothing new is started. */
  readonly drain?: AbortSignal;
  /** The tick that this run is, where the database has to know of it. */
  readonly tick?: WorkerTick;
  /** Schedules to be processed beside the messages; none where absent. */
  readonly schedules?: WorkerSchedules;
}

/** What a worker is made of and held to. */
export interface WorkerOptions extends WorkerLimits {
  readonly transport: Transport;
  readonly bus: MessageBus;
  readonly retry: RetryManager;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  /** Most messages held at once, running and waiting to run. */
  readonly batchSize: number;
  /** Handlers running at once. */
  readonly concurrency: number;
  /** Most bytes of messages held at once; 16 MiB where absent. One message is held in any case. */
  readonly maxBytes?: number;
  /** How long a lease lasts without a heartbeat, in ms. */
  readonly leaseMs: number;
  /** Writes what handlers report; nothing is written where absent. */
  readonly progress?: ProgressReporter;
  /** The gate of messages that run alone; the process's own where absent. */
  readonly gate?: Gate;
}

const LIMITS = Object.keys(
  {
    budgetMs: true,
    maxMs: true,
    cpuMs: true,
    maxMessages: true,
    queues: true,
    signal: true,
    drain: true,
    tick: true,
    schedules: true,
  } satisfies Record<keyof WorkerLimits, true>,
);

/**
 * Checks what a run is held to: with a wrong limit it would never end, or do nothing.
 * @param names of the options that there are; by default those of {@link WorkerLimits}
 * @throws RangeError that names the option which is wrong, or not known
 */
export function checkLimits(
  limits: Partial<WorkerLimits>,
  names: readonly string[] = LIMITS,
): void {
  checkNames(limits, names);
  const { budgetMs, maxMs, cpuMs, maxMessages, queues, signal, drain } = limits;
  for (const [name, value] of Object.entries({ budgetMs, maxMs, cpuMs, maxMessages })) {
    const isRight = value === undefined ? name !== "budgetMs" : value >= 0;
    if (typeof (value ?? 0) !== "number" || !isRight) {
      throw new RangeError(`${name}: has to be a number, 0 or more; got ${showValue(value)}`);
    }
  }
  const isList = (value: unknown) =>
    Array.isArray(value) && value.length > 0 &&
    value.every((name) => typeof name === "string" && name !== "");
  if (queues !== undefined && !isList(queues)) {
    throw new RangeError(
      `queues: has to be an array of at least one queue's name; got ${showValue(queues)}`,
    );
  }
  for (const [name, value] of Object.entries({ signal, drain })) {
    if (value !== undefined && !(value instanceof AbortSignal)) {
      throw new RangeError(`${name}: has to be an AbortSignal; got ${showValue(value)}`);
    }
  }
}

/** What a run tells its tick. */
export interface WorkerTick {
  /** Nothing more is to be claimed for now: asks whether the run may stop looking. */
  rest(asked: RestRequest): Promise<RestAnswer>;
  /** Dispatches may count on the run again. */
  wake(): Promise<void>;
  /**
   * The run claims no more, for good or while it is `stalled`: others are to take what comes in.
   * @returns false where dispatches count on it all the same
   */
  standAside(stalled: boolean): Promise<boolean>;
  /** A claim came back full: there is work for others. */
  backlog(): void;
}

/** How a run asks for rest. */
export interface RestRequest {
  /** Of a run that may be done by this. */
  readonly report: WorkerReport | null;
  /** How long to wait for more before the answer, in ms. */
  readonly lingerMs: number;
  /** For how long the run could go on, in ms. */
  readonly leftMs: number;
}

/** Whether a run may rest. */
export interface RestAnswer {
  readonly rested: boolean;
  /** A message is due. */
  readonly due: boolean;
  /** When it has to look for messages again, in ms; null where others do, or nothing will be due. */
  readonly messagesInMs: number | null;
  /** When it has to see to schedules, in ms; null in the same way. */
  readonly schedulesInMs: number | null;
}

/** Schedules that a run sees to. */
export interface WorkerSchedules {
  /** Some are due when the run begins. */
  readonly dueNow: boolean;
  /** Dispatches what is due, and answers how many messages. Never throws. */
  process(): Promise<number>;
}

/** What a run did. */
export interface WorkerReport {
  /** Messages claimed and kept: not those given back, unstarted or snoozed. */
  claimed: number;
  handled: number;
  retried: number;
  /** Messages moved to the dead letters. */
  failed: number;
}
