/** Calls that emit events, and that read them for messages that wait. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { EventRead, EventReads, TokenUse } from "../transport/event-reads.ts";
import { fromLimit } from "./enqueue.ts";
import { callRpc } from "./rpc.ts";

/**
 * Emits an event and returns its id.
 * @param token that it uses up
 * @param limits that it counts against
 * @param timeoutMs longest time of the call
 * @throws ConflictError if the token was used, RateLimitedError if a limit is reached
 * @throws the errors of `callRpc`
 */
export function emitEvent(
  client: SupabaseClient,
  { event, value, token, limits }: {
    readonly event: string;
    readonly value: unknown;
    readonly token: TokenUse | undefined;
    readonly limits: readonly LimitedDispatch[] | undefined;
  },
  timeoutMs: number,
): Promise<string> {
  if (token === undefined) {
    return limits === undefined
      ? callRpc(client, "messenger_emit", { event, value }, timeoutMs)
      : callRpc(
        client,
        "messenger_emit_limited",
        { event, value, limits: limits.map(fromLimit) },
        timeoutMs,
      );
  }
  const args = { event, value, token_id: token.id, expires_at: token.expiresAt };
  return callRpc(client, "messenger_emit_token", args, timeoutMs);
}

/** Reads events of messages. @param timeoutMs longest time of the call @throws the errors of `callRpc` */
export async function readEvents(
  client: SupabaseClient,
  reads: readonly EventRead[],
  timeoutMs: number,
): Promise<EventReads> {
  const rows = reads.map(({ leaseToken, ...read }) => ({ ...read, token: leaseToken }));
  const { last_id: lastId, ...answer } = await callRpc<
    Omit<EventReads, "lastId"> & { readonly last_id: string }
  >(client, "messenger_read_events", { reads: rows }, timeoutMs);
  return { ...answer, lastId };
}
