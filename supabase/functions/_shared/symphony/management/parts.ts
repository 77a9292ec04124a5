/** Dependencies of the endpoints. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { MessageBus } from "../bus/bus.ts";
import type { Operator } from "../http/operator.ts";
import type { Logger } from "../runtime/log.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import { type StepsResult, takeSteps } from "../database/steps.ts";
import { callRpc } from "../database/rpc.ts";
import { actingAs } from "./acting.ts";
import { toCursor } from "./query-fields.ts";
import { fromRow, toArguments } from "./listed-rows.ts";

/** The parts of the bus that the management API needs. */
export interface ManagementParts {
  /** Made with a secret key. */
  readonly supabase: SupabaseClient;
  readonly bus: MessageBus;
  readonly log: Logger;
}

const TIMEOUT_MS = 10_000;

/**
 * Calls an SQL function by the camelCase names of its arguments, and returns its result in camelCase. The
 * endpoint's schema checks the result.
 * @throws the errors of `callRpc`
 */
export async function ask<Answer>(
  client: SupabaseClient,
  name: string,
  args: object = {},
): Promise<Answer> {
  const answer = await callRpc<unknown>(client, name, toArguments(args), TIMEOUT_MS);
  return fromRow(answer) as Answer;
}

/** Longest time of a request that changes many messages, in ms. Its answer then tells where to continue. */
const STEPS_BUDGET_MS = 10_000;

/**
 * Changes many messages in an operator's name, within the time of one request.
 * @param fields arguments by their camelCase names; `cursor` is the place where an earlier request ended
 */
export async function changeMany(
  { supabase }: ManagementParts,
  operator: Operator,
  name: string,
  { cursor, ...fields }: { readonly cursor?: unknown } & Readonly<Record<string, unknown>>,
): Promise<Omit<StepsResult, "next" | "missing"> & { missing: string[]; next: string | null }> {
  const result = await takeSteps(
    actingAs(supabase, operator.actor),
    name,
    toArguments({ ...fields, after: cursor }),
    { budgetMs: STEPS_BUDGET_MS },
  );
  return { ...result, missing: [...result.missing ?? []], next: toCursor(result.next) };
}

/** Makes a scheduler whose changes are in an operator's name. */
export function schedulerOf({ supabase, bus, log }: ManagementParts, operator: Operator) {
  return new Scheduler({ supabase: actingAs(supabase, operator.actor), bus, log });
}
