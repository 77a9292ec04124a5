/** The parts of a worker, the limits of a run, and the talk between a run and its tick. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus/bus.ts";
import type { Logger } from "../runtime/log.ts";
import { showValue } from "../runtime/inspect.ts";
import { checkNames } from "../runtime/option-names.ts";
import type { RetryManager } from "../retry/manager.ts";
import type { Transport } from "../transport/transport.ts";
import type { BudgetLimits } from "./life/budget.ts";
import type { ProcessLock } from "./run/process-lock.ts";
import type { ProgressReporter } from "./run/progress.ts";
import type { SlotPool } from "./run/slot-pool.ts";
import type { ReservedIds } from "../bus/reserved-ids.ts";
import type { SeriesCounter } from "./series/series-counter.ts";

/** Limits of one run. */
export interface WorkerLimits extends BudgetLimits {
  /** Claims from these queues only; from all by default. */
  readonly queues?: readonly string[];
  /** Aborting it ends the run: no further message is started, and running handlers are stopped. */
  readonly signal?: AbortSignal;
  /** Aborting it ends the run more gently: no further message is started, and running handlers may finish. */
  readonly drain?: AbortSignal;
  /** The tick that this run is, if the database has to know of it. */
  readonly tick?: WorkerTick;
  /** Schedules to be processed beside the messages; none by default. */
  readonly schedules?: WorkerSchedules;
}

/** The parts of a worker, and the limits of its run. */
export interface WorkerOptions extends WorkerLimits {
  readonly transport: Transport;
  readonly bus: MessageBus;
  readonly retry: RetryManager;
  readonly supabase: SupabaseClient;
  readonly log: Logger;
  /** Most messages held at once, running and waiting to run. */
  readonly batchSize: number;
  /** Handlers that run at once. */
  readonly concurrency: number;
  /** Most bytes of messages held at once; 16 MiB by default. One message is held in any case. */
  readonly maxBytes?: number;
  /** Slots that workers of other transports share with this one; by default it has `concurrency` of its own. */
  readonly pool?: SlotPool | undefined;
  /** How long a claim of an idle worker may wait for a message, in ms; 0 by default. */
  readonly waitMs?: number;
  /** How long a lease lasts without a heartbeat, in ms. */
  readonly leaseMs: number;
  /** Whether the run is a tick, which has the limits of a function; default: no. */
  readonly isTick?: boolean;
  /** Ids for what handlers dispatch; by default this run's own. */
  readonly ids?: ReservedIds;
  /** Writes the progress that handlers report; by default it is not written. */
  readonly progress?: ProgressReporter;
  /** Makes the run a resident worker's, which ends by its signals only: waits for a due message, or a time. */
  readonly awaitDue?: () => Promise<boolean>;
  /** Counts of the runs before, to which this run adds its own; zeros by default. */
  readonly counts?: WorkerReport;
  /** Counts for the time series; by default nothing is counted. */
  readonly series?: SeriesCounter | undefined;
  /** Waits until a handler may start; by default handlers start at once. */
  readonly yieldToLoop?: () => Promise<void>;
  /** Keeps quarantined messages from running beside others; by default the lock of this process. */
  readonly lock?: ProcessLock;
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
 * Checks the limits of a run. With a wrong limit it would never end, or do nothing.
 * @param names the known options; by default those of {@link WorkerLimits}
 * @throws RangeError that names the option which is wrong, or unknown
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

/** A run tells its tick how it stands. */
export interface WorkerTick {
  /** No message is left to claim for now: offers to be idle, which means to stop polling. */
  offerIdle(request: IdleRequest): Promise<IdleAnswer>;
  /** Dispatches may count on the run again. */
  wake(): Promise<void>;
  /**
   * The run claims no more, for good or while it is `stalled`: other ticks are to take what comes in.
   * @returns false if dispatches count on the run all the same
   */
  standAside(stalled: boolean): Promise<boolean>;
  /** A claim came back full: there is work for other ticks. */
  backlog(): void;
}

/** An offer to be idle. */
export interface IdleRequest {
  /** The run's report, if the run may be over with this call; null if it holds messages. */
  readonly report: WorkerReport | null;
  /** How long to wait for more messages before the answer, in ms. */
  readonly lingerMs: number;
  /** How long the run could still work, in ms. */
  readonly leftMs: number;
}

/** The answer to an offer to be idle. */
export interface IdleAnswer {
  /** Whether the run may stop polling: from now on a dispatch asks for another tick. */
  readonly agreed: boolean;
  /** Whether a message is due. */
  readonly due: boolean;
  /** Ms until the run has to poll for messages again; null if other ticks do, or no message will be due. */
  readonly messagesInMs: number | null;
  /** Ms until the run has to process schedules; null if other ticks do, or no schedule will be due. */
  readonly schedulesInMs: number | null;
}

/** Schedules that a run processes. */
export interface WorkerSchedules {
  /** Whether some are due when the run begins. */
  readonly dueNow: boolean;
  /**
   * Dispatches what is due, and returns the number of messages. Never throws.
   * @param hasRoom asked behind each batch: whether the run has room for another one. The rest stays due
   */
  process(hasRoom: () => boolean): Promise<number>;
}

/** Counts of what a run did. */
export interface WorkerReport {
  /** Messages claimed and kept; without those that were given back, snoozed or parked. */
  claimed: number;
  handled: number;
  retried: number;
  /** Messages moved to the dead letters. */
  failed: number;
}
