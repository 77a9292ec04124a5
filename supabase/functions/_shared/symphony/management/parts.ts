/** Dependencies of the endpoints. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus/bus.ts";
import type { Router } from "../bus/router.ts";
import type { Operator } from "../http/operator.ts";
import type { Logger } from "../runtime/log.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import { actingAs } from "../database/acting.ts";
import type { StepsLimits } from "../database/steps.ts";
import { toCursor } from "./query-fields.ts";

/** The parts of the bus that the management API needs. */
export interface ManagementParts {
  /** Made with a secret key. */
  readonly supabase: SupabaseClient;
  readonly bus: MessageBus;
  /** Undefined if everything goes home. */
  readonly router?: Router | undefined;
  readonly log: Logger;
}

/** Longest time of a request that changes many messages, in ms. Its answer then tells where to continue. */
export const STEPS_BUDGET_MS = 10_000;

/** A request's body, which may say where an earlier request ended, and how long this one may take. */
type WithCursor<Body> = Body & {
  readonly cursor?: unknown;
  readonly budgetMs?: number | undefined;
};

/**
 * Changes many messages in an operator's name, within the time of one request.
 * @param change takes the steps
 * @param body the request's; `cursor` is the place where an earlier request ended, `budgetMs` its
 * age from which no further step begins
 * @returns what `change` returns, with `next` as a cursor
 * @throws the errors of `change`
 */
export async function changeMany<
  Body extends object,
  Result extends { readonly next: unknown; readonly missing?: readonly string[] },
>(
  { supabase }: ManagementParts,
  operator: Operator,
  change: (
    client: SupabaseClient,
    selection: Omit<WithCursor<Body>, "cursor" | "budgetMs"> & { readonly after: unknown },
    limits: StepsLimits,
  ) => Promise<Result>,
  body: WithCursor<Body>,
): Promise<Omit<Result, "next" | "missing"> & { missing: string[]; next: string | null }> {
  const { cursor, budgetMs = STEPS_BUDGET_MS, ...selection } = body;
  const result = await change(
    actingAs(supabase, operator.actor),
    { ...selection, after: cursor },
    { budgetMs },
  );
  return { ...result, missing: [...result.missing ?? []], next: toCursor(result.next) };
}

/** Makes a scheduler whose changes are in an operator's name. */
export function schedulerOf({ supabase, bus, log }: ManagementParts, operator: Operator) {
  return new Scheduler({ supabase: actingAs(supabase, operator.actor), bus, log });
}
