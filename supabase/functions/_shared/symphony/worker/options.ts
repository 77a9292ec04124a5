/** What a worker is made of, what a run is held to, and what it tells. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus.ts";
import type { Logger } from "../log.ts";
import type { RetryManager } from "../retry/manager.ts";
import type { Transport } from "../transport/transport.ts";
import type { BudgetLimits } from "./budget.ts";
import type { Gate } from "./gate.ts";
import type { ProgressReporter } from "./progress.ts";

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

/** What a run tells its tick. */
export interface WorkerTick {
  /**
   * Nothing more is to be claimed for now: asks whether the run may stop looking.
   * @param report of a run that is done by this
   */
  rest(report: WorkerReport | null): Promise<{ readonly rested: boolean; readonly due: boolean }>;
  /** A claim came back full: there is work for others. */
  backlog(): void;
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
