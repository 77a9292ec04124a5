/** Messages as the user who dispatched them sees them: states by their ids, lists, and cancels. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type {
  FollowedMessage,
  FollowedMessages,
  OwnMessages,
} from "../message/followed-message.ts";
import { isId } from "./ids.ts";
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
  if (!isId(id)) return Promise.resolve(null);
  return callRpc(client, "messenger_follow", { id, user_id: userId }, TIMEOUT_MS);
}

/**
 * Returns the states of messages in the order of their ids, each once, and the ids that are missing.
 * @param client made with a secret key
 * @param userId null, or the user who must have dispatched the messages
 * @throws TransportError if the database call failed
 */
export async function followMessages(
  client: SupabaseClient,
  ids: readonly string[],
  userId: string | null,
): Promise<FollowedMessages> {
  const known = ids.filter((id) => isId(id));
  const foreign = new Set(ids.filter((id) => !isId(id)));
  const args = { ids: known, user_id: userId };
  const { messages, missing }: FollowedMessages = known.length === 0
    ? { messages: [], missing: [] }
    : await callRpc(client, "messenger_follow_all", args, TIMEOUT_MS);
  return { messages, missing: [...missing, ...foreign] };
}

/** Which of a user's messages to list. */
export interface OwnMessageFilter {
  readonly type?: string | undefined;
  readonly status?: FollowedMessage["status"] | undefined;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
  /** Length of a page. */
  readonly limit: number;
}

/**
 * Lists messages that a user dispatched, the latest first. A page may be short; `next` tells whether there are
 * more.
 * @param client made with a secret key
 * @throws TransportError if the database call failed
 */
export function listOwnMessages(
  client: SupabaseClient,
  userId: string,
  { type, status, cursor, limit }: OwnMessageFilter,
): Promise<OwnMessages> {
  return callRpc(client, "messenger_list_user_messages", {
    user_id: userId,
    type,
    status,
    before_id: cursor,
    max_messages: limit,
  }, TIMEOUT_MS);
}

/**
 * Cancels a message: one that waits becomes a dead letter, one that runs is stopped at its next heartbeat.
 * @param client made with a secret key
 * @param userId null, or the user who must have dispatched the message
 * @returns its state afterwards, which a finished message keeps; null if there is no such message
 * @throws TransportError if the database call failed
 */
export function cancelMessage(
  client: SupabaseClient,
  id: string,
  userId: string | null,
): Promise<FollowedMessage | null> {
  if (!isId(id)) return Promise.resolve(null);
  return callRpc(client, "messenger_cancel_message", { id, user_id: userId }, TIMEOUT_MS);
}
