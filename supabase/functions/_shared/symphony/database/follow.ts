/** Following a message: its state for a frontend, without its payload and the texts of its errors. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { DeadReason } from "../message/outcome.ts";
import { callRpc } from "./rpc.ts";

/** The state of a message. */
export interface FollowedMessage {
  readonly id: string;
  readonly type: string;
  /**
   * `pending`: waits for its first attempt. `retrying`: waits for another. `failed` and `cancelled`: it
   * is a dead letter, unless it is redriven. `handled`: it is done.
   */
  readonly status: "pending" | "processing" | "retrying" | "handled" | "failed" | "cancelled";
  /** Why it became a dead letter; null if it did not. */
  readonly reason: DeadReason | null;
  /** How often it has been started. */
  readonly attempt: number;
  /** Moments are ISO 8601. */
  readonly createdAt: string;
  /** When it is or was due; null once it is done. */
  readonly availableAt: string | null;
  /** When it was handled or became a dead letter. */
  readonly finishedAt: string | null;
  /** The handler's last report; null if there is none. */
  readonly progress: FollowedProgress | null;
}

/** A handler's report. */
export interface FollowedProgress {
  /** The done share, from 0 to 1. */
  readonly value: number;
  readonly note: string | null;
  readonly at: string;
}

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
