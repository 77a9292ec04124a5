/** Requests about the messages that a user dispatched: their states, a page of them, and cancelling one. */

import type {
  FollowedMessage,
  FollowedMessages,
  OwnMessages,
} from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import { isMessengerError, MessengerError } from "./errors.ts";
import { idOf, type MessageRef } from "./ids.ts";
import type { Abortable, Requester } from "./request.ts";

/** Which of a user's messages are listed, and how many. */
export interface ListOptions<Type extends string = string> extends Abortable {
  readonly type?: Type | undefined;
  readonly status?: FollowedMessage["status"] | undefined;
  /** Largest number of messages, 1 to 100; default: 50. */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly cursor?: string | undefined;
}

/** Asks for the states of messages. */
export async function statuses(
  request: Requester,
  refs: readonly MessageRef[],
  options: Abortable & { readonly once?: boolean } = {},
): Promise<FollowedMessages> {
  const ids = [...new Set(refs.map((ref) => idOf(ref, "message")))];
  // A text that cannot be an id is an unknown id.
  const asked = ids.filter((id) => /^[1-9]\d{0,17}$/.test(id));
  const looks = asked.map((id) =>
    request<FollowedMessage>({ path: `/${id}`, idempotent: true, ...options }).catch((error) => {
      if (isMessengerError(error) && error.code === "not_found") return [];
      throw error;
    })
  );
  const messages = (await Promise.all(looks)).flat();
  const found = new Set(messages.map(({ id }) => id));
  return { messages, missing: ids.filter((id) => !found.has(id)) };
}

/** Lists a page of the user's messages. The newest come first. */
export function list(
  request: Requester,
  { signal, ...page }: ListOptions = {},
): Promise<OwnMessages> {
  return request({ path: `/messages${queryOf(page)}`, idempotent: true, signal });
}

/** The part of a URL that holds options; those that are undefined are left out. */
export function queryOf(options: { readonly [name: string]: unknown }): string {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const query = String(new URLSearchParams(given.map(([name, value]) => [name, String(value)])));
  return query && `?${query}`;
}

/**
 * Cancels a message. One that is cancelled already stays so.
 * @throws MessengerError `conflict` if it has ended otherwise
 */
export async function cancel(
  request: Requester,
  id: string,
  { signal }: Abortable = {},
): Promise<FollowedMessage> {
  try {
    const path = `/${encodeURIComponent(id)}`;
    return await request({ path, method: "DELETE", idempotent: true, signal });
  } catch (error) {
    // After an answer that was lost, the repeat finds the message cancelled.
    const isDone = isMessengerError(error) && error.code === "conflict";
    const state = isDone && (await statuses(request, [id], { signal })).messages[0];
    if (state && state.status === "cancelled") return state;
    throw error;
  }
}

/** Makes the error for a message that the server does not know. */
export function missing(isSeen: boolean): MessengerError {
  return isSeen
    ? new MessengerError(
      "id: the message is finished, and its type is not kept",
      "not_remembered",
      { status: 404, detail: "not_found" },
    )
    : new MessengerError("id: there is no message of yours with this id", "not_found", {
      status: 404,
    });
}
