/** Operations on many messages, a step at a time: each call of the SQL function is one transaction. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { checkNames } from "../runtime/option-names.ts";
import { callRpc } from "./rpc.ts";
import { TransportError } from "../transport/transport.ts";

/** What an operation on many messages did. */
export interface StepsResult {
  /** Messages that the filter means, among those that were looked at. */
  readonly matched: number;
  /** How many of them were changed; none in a dry run. */
  readonly done: number;
  /** How many of them run and were told to stop; for a cancel only. */
  readonly running: number;
  /** Messages that the filter still means, counted among the next 10,000 rows; `capped` says that there are more rows. */
  readonly left: { readonly count: number; readonly capped: boolean };
  /** Ids that were asked for and are not there; the first 1,000. */
  readonly missing: readonly string[];
  /** Where to go on, as `after`; null when everything is done. */
  readonly next: unknown;
}

/** How long the steps may go on. */
export interface StepsLimits {
  /** No further step begins after so many ms. */
  readonly budgetMs?: number;
  /** No further step begins once it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

// A step takes about three seconds; the database's own limit is 8 s.
const STEP_TIMEOUT_MS = 10_000;
const MAX_MISSING = 1_000;

/**
 * Takes steps until everything is done, or the limits are met; then `next` says where to go on.
 * @param name the SQL function
 * @param args its arguments, `after` among them to go on behind an earlier step
 * @throws what `callRpc` throws, where not even the first step was taken
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
      // What was done is done, and stays so: the caller goes on behind it.
      if (error instanceof TransportError) return sum;
      throw error;
    }
  }
  return sum;
}

/**
 * Refuses a filter that means every message without saying so.
 * @param names of the filter's fields
 * @throws RangeError that names the field
 */
export function checkFilter(filter: object, names: readonly string[]): void {
  const fields = Object.entries(filter).filter(([name]) => name === "all" || names.includes(name));
  for (const [name, value] of fields) {
    // One that went missing on its way must not widen what the others mean.
    if (value === null || value === "") {
      throw new RangeError(
        `${name}: is ${value === null ? "null" : "empty"}; give a value, or leave it out`,
      );
    }
  }
  const given = fields.filter(([name, value]) => name !== "all" && value !== undefined);
  const all = fields.some(([name, value]) => name === "all" && value === true);
  if (given.length === 0 && !all) {
    throw new RangeError(
      `filter: give at least one of ${names.join(", ")}, or all: true`,
    );
  }
  if (given.length > 0 && all) {
    throw new RangeError(
      `all: goes with no other filter (${given.map(([name]) => name).join(", ")} was given)`,
    );
  }
}

/**
 * Checks what a cancel is asked for.
 * @throws RangeError that names the field
 */
export function checkCancel(filter: object): void {
  const names = ["ids", "type", "queue"];
  checkNames(filter, ["all", ...names]);
  checkFilter(filter, names);
}

function step(client: SupabaseClient, name: string, args: Readonly<Record<string, unknown>>) {
  return callRpc<StepsResult>(client, name, args, STEP_TIMEOUT_MS);
}

/** Numbers are summed: a prune has counts of its own, and neither `running` nor `missing`. */
function add(sum: StepsResult, step: StepsResult): StepsResult {
  const before = new Map<string, unknown>(Object.entries(sum));
  const counts = Object.entries(step).filter(([, value]) => typeof value === "number")
    .map(([name, value]) => [name, Number(before.get(name)) + value]);
  return {
    ...step,
    ...Object.fromEntries(counts),
    ...(step.missing && {
      missing: [...sum.missing, ...step.missing].slice(0, MAX_MISSING),
    }),
  };
}
