/** The routes of a project as the database knows them, and the call that writes those of the code. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { callRpc } from "./rpc.ts";

const TIMEOUT_MS = 10_000;

/** Transports and routes that a project's code declares. */
export interface DeclaredRouting {
  /** Transports beside home, and whether this project receives their messages. */
  readonly transports: Readonly<Record<string, boolean>>;
  /** Transports by type or pattern; null if a function decides. */
  readonly routes: Readonly<Record<string, string | null>>;
}

/**
 * Writes transports and routes in the place of those before.
 * @param routing null if there are none
 * @throws the errors of {@link callRpc}
 */
export async function declareRouting(
  client: SupabaseClient,
  routing: DeclaredRouting | null,
): Promise<void> {
  const { transports, routes } = routing ?? { transports: {}, routes: {} };
  await callRpc(client, "messenger_declare_routing", { transports, routes }, TIMEOUT_MS);
}

/** Whether both declare the same. */
export function isSameRouting(one: DeclaredRouting | null, other: DeclaredRouting | null): boolean {
  if (!one || !other) return one === other;
  const textOf = (values: object) => JSON.stringify(Object.entries(values).sort());
  return textOf(one.transports) === textOf(other.transports) &&
    textOf(one.routes) === textOf(other.routes);
}
