/** Following a message: what a frontend is told of it, never its payload or the text of its errors. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { DeadReason } from "../message/outcome.ts";
import { callRpc } from "./rpc.ts";

/** What has become of a message. */
export interface FollowedMessage {
  readonly id: string;
  readonly type: string;
  /**
   * `pending`: waits for its first attempt. `retrying`: waits for another. `failed` and `cancelled`: it
   * is a dead letter, until somebody redrives it. `handled`: it is done.
   */
  readonly status: "pending" | "processing" | "retrying" | "handled" | "failed" | "cancelled";
  /** Why it was given up; null where it was not. */
  readonly reason: DeadReason | null;
  /** How often it has been started. */
  readonly attempt: number;
  /** Moments are ISO 8601. */
  readonly createdAt: string;
  /** When it is or was due; null once it is done. */
  readonly availableAt: string | null;
  /** When it was handled or given up. */
  readonly finishedAt: string | null;
  /** What its handler last reported; null where it did not. */
  readonly progress: FollowedProgress | null;
}

/** What a handler reported. */
export interface FollowedProgress {
  /** How much is done, from 0 to 1. */
  readonly value: number;
  readonly note: string | null;
  readonly at: string;
}

const TIMEOUT_MS = 10_000;

/**
 * What has become of a message.
 * @param client made with a secret key
 * @param userId only a message that this user dispatched; any message where it is null
 * @returns null where there is none: unknown, another user's, or handled and not kept
 * @throws TransportError if the database did not answer
 */
export function followMessage(
  client: SupabaseClient,
  id: string,
  userId: string | null,
): Promise<FollowedMessage | null> {
  // No other text can be an id.
  if (!/^\d{1,18}$/.test(id)) return Promise.resolve(null);
  return callRpc(client, "messenger_follow", { id, user_id: userId }, TIMEOUT_MS);
}
