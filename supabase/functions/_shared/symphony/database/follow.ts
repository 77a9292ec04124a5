/** Reads the state of a message for the user who dispatched it. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { FollowedMessage } from "../message/followed-message.ts";
import { callRpc } from "./rpc.ts";

const TIMEOUT_MS = 10_000;

/**
 * Returns the state of a message.
 * @param client made with a secret key
 * @param userId null, or the user who must have dispatched the message
 * @returns null if there is no such message: unknown, another user's, or handled and not kept
 * @throws TransportError if the database call failed
 */
export function followMessage(
  client: SupabaseClient,
  id: string,
  userId: string | null,
): Promise<FollowedMessage | null> {
  // No other text is an id.
  if (!/^\d{1,18}$/.test(id)) return Promise.resolve(null);
  return callRpc(client, "messenger_follow", { id, user_id: userId }, TIMEOUT_MS);
}
