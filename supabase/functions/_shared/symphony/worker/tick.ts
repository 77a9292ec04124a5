/** One tick as the database knows it: registered, alive by heartbeats, at rest, ended. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { Logger } from "../log.ts";
import { callRpc } from "../transport/rpc.ts";
import { processShutdown } from "./shutdown.ts";
import type { WorkerLimits, WorkerReport, WorkerTick } from "./options.ts";

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

const HEARTBEAT_EVERY_MS = 5_000;
const CALL_FOR_HELP_EVERY_MS = 1_000;
const TIMEOUT_MS = 10_000;

/**
 * Runs a tick; one that has nothing to do costs one call.
 * @returns what its worker did; zeros where it had nothing to do
 * @throws TransportError if the database stayed out of reach
 */
export async function runTick(
  { caller, id, ...limits }: TickOptions,
  parts: {
    readonly supabase: SupabaseClient;
    readonly work: (limits: WorkerLimits) => Promise<WorkerReport>;
    readonly log: Logger;
  },
): Promise<WorkerReport> {
  const call = <Answer>(name: string, args: Readonly<Record<string, unknown>> = {}) =>
    callRpc<Answer>(parts.supabase, name, args, TIMEOUT_MS);
  const awake = caller === "left" && !limits.queues;
  const started = await call<{ id: string; proceed: boolean; fleet: number }>(
    "messenger_start_tick",
    { tick: id ?? null, awake, queues: limits.queues ?? null, budget_ms: limits.budgetMs },
  );
  const tick = started.id;
  if (!started.proceed) return { claimed: 0, handled: 0, retried: 0, failed: 0 };

  const unheard = (error: unknown) =>
    parts.log.warn("tick_call_failed", { tick, error: String(error) });
  const heartbeat = setInterval(
    () => call("messenger_heartbeat_tick", { tick }).catch(unheard),
    HEARTBEAT_EVERY_MS,
  );
  let isOver = false;
  let calledAt = -Infinity;
  const told: WorkerTick = {
    rest: async (report) => {
      const answer = await call<{ rested: boolean; due: boolean }>(
        "messenger_rest_tick",
        { tick, report },
      );
      isOver = answer.rested && report !== null;
      return answer;
    },
    backlog: () => {
      const now = performance.now();
      if (started.fleet <= 1 || now - calledAt < CALL_FOR_HELP_EVERY_MS) return;
      calledAt = now;
      call("messenger_grow_fleet").catch(unheard);
    },
  };
  let report: WorkerReport | null = null;
  try {
    const { drain, stop } = processShutdown();
    const signal = limits.signal ? AbortSignal.any([limits.signal, stop]) : stop;
    return report = await parts.work({ ...limits, drain, signal, ...(awake && { tick: told }) });
  } finally {
    clearInterval(heartbeat);
    // One that broke off has no successor, which would break off as well; the minute's tick comes.
    const successor = awake && report !== null;
    if (!isOver) await call("messenger_end_tick", { tick, report, successor }).catch(unheard);
  }
}
