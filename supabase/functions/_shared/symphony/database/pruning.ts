/** Deletes rows that are no longer needed, in steps. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { fromRow } from "./listed-rows.ts";
import { type StepsLimits, takeSteps } from "./steps.ts";

/** Which rows to delete. */
export interface PruneSelection {
  /** Age from which dead letters are deleted, in ms. */
  readonly failedOlderThanMs: number;
  /** Only counts them, and deletes none. */
  readonly dryRun: boolean;
  /** `next` of an earlier, unfinished prune of the same age. */
  readonly after?: unknown;
}

/** The numbers of deleted rows, of each kind. */
export interface PruneResult {
  /** Rows that are no longer needed. */
  readonly matched: number;
  /** Number of deleted rows; 0 in a dry run. */
  readonly done: number;
  /** Whether a dry run stopped counting at 10,000 of a kind. */
  readonly capped: boolean;
  /** Dead letters among them. */
  readonly failed: number;
  readonly idempotencyKeys: number;
  readonly handled: number;
  /** Batches that ended more than 30 days ago. */
  readonly batches: number;
  /** Points of time series: minutes that became hours, and those of more than 30 days ago. */
  readonly series: number;
  /** Publications to other transports that were kept long enough. */
  readonly outbox: number;
  /** Notes of handled deliveries that were kept long enough. */
  readonly deliveries: number;
  readonly progress: number;
  readonly rateLimits: number;
  readonly steps: number;
  /** The place where the next prune continues, as `after`; null when everything is done. */
  readonly next: unknown;
}

/** Deletes old dead letters and expired records. @throws the errors of `callRpc`, if the first step failed */
export async function pruneRows(
  client: SupabaseClient,
  { failedOlderThanMs, dryRun, after }: PruneSelection,
  limits: StepsLimits = {},
): Promise<PruneResult> {
  const age = `${failedOlderThanMs} milliseconds`;
  const args = { failed_older_than: age, dry_run: dryRun, after };
  const { next, ...counts } = await takeSteps(client, "messenger_prune", args, limits);
  return { ...fromRow(counts) as Omit<PruneResult, "next">, next };
}
