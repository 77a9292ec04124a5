/** Calls for operators: an SQL function by the camelCase names of its arguments and results. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { fromRow, toArguments } from "./listed-rows.ts";
import { callRpc } from "./rpc.ts";

const TIMEOUT_MS = 10_000;

/** A number that is not counted to its end on a large table. */
export interface CappedCount {
  count: number;
  /** There are more than `count`. */
  capped: boolean;
}

/**
 * Calls an SQL function and trusts it for the shape of its result; an endpoint's schema checks that.
 * @param name of the SQL function
 * @param args arguments by their camelCase names; undefined ones are left out
 * @returns its result, in camelCase
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
