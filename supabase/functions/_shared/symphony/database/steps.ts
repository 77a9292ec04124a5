/** Operations on many messages in steps: each call of the SQL function is one transaction. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { callRpc } from "./rpc.ts";
import { TransportError } from "../transport/transport.ts";

/** The result of an operation on many messages. */
export interface StepsResult {
  /** Messages that match the filter, among those that were read. */
  readonly matched: number;
  /** Number of changed messages; 0 in a dry run. */
  readonly done: number;
  /** Number of running messages that were told to stop; for a cancel only. */
  readonly running: number;
  /** Messages that still match, counted in the next 10,000 rows; `capped` says that there are more rows. */
  readonly left: { readonly count: number; readonly capped: boolean };
  /** Ids of the request that do not exist; the first 1,000. */
  readonly missing: readonly string[];
  /** Ids of the request that another project has, and the transport that leads there; for a cancel in the outbox only. */
  readonly elsewhere?: readonly { readonly id: string; readonly transport: string }[];
  /** The place where the next call continues, as `after`; null when everything is done. */
  readonly next: unknown;
}

/** Limits of the steps. */
export interface StepsLimits {
  /** Age of the operation, in ms, from which no further step begins. */
  readonly budgetMs?: number;
  /** No further step begins after it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

// A step takes about three seconds; the database's own limit is 8 s.
const STEP_TIMEOUT_MS = 10_000;
const MAX_MISSING = 1_000;

/**
 * Takes steps until everything is done or a limit is met; `next` then says where to continue.
 * @param name of the SQL function
 * @param args its arguments; with `after` it continues behind an earlier step
 * @throws the errors of `callRpc`, if the first step failed
 */
export async function takeSteps(
  client: SupabaseClient,
  name: string,
  args: Readonly<Record<string, unknown>>,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  const { budgetMs = Infinity, signal } = limits;
  const endsAt = performance.now() + budgetMs;
  let sum = await step(client, name, args);
  while (sum.next !== null && performance.now() < endsAt && !signal?.aborted) {
    try {
      sum = add(sum, await step(client, name, { ...args, after: sum.next }));
    } catch (error) {
      // Earlier steps have committed: the caller continues behind them.
      if (error instanceof TransportError) return sum;
      throw error;
    }
  }
  return sum;
}

function step(client: SupabaseClient, name: string, args: Readonly<Record<string, unknown>>) {
  return callRpc<StepsResult>(client, name, args, STEP_TIMEOUT_MS);
}

/** Sums the numbers. A prune has counts of its own, and neither `running` nor `missing`. */
function add(sum: StepsResult, step: StepsResult): StepsResult {
  const before = new Map<string, unknown>(Object.entries(sum));
  const counts = Object.entries(step).filter(([, value]) => typeof value === "number")
    .map(([name, value]) => [name, Number(before.get(name)) + value]);
  return {
    ...step,
    ...Object.fromEntries(counts),
    ...(sum.elsewhere && { elsewhere: sum.elsewhere }),
    ...(step.missing && {
      missing: [...sum.missing, ...step.missing].slice(0, MAX_MISSING),
    }),
  };
}
