/** Requests about the messages that a user dispatched: their states, a page of them, and cancelling one. */

import type {
  FollowedMessage,
  FollowedMessages,
  OwnMessages,
} from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import { checked } from "./given.ts";
import { idOf, type MessageRef } from "./ids.ts";
import { exactJson } from "./json.ts";
import type { Abortable, Requester } from "./request.ts";

/** Which page of a list. */
export interface PageOptions extends Abortable {
  /** Largest number of entries, 1 to 100; default: 50. */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly cursor?: string | undefined;
}

/** Which of a user's messages are listed, and how many. */
export interface ListOptions<Type extends string = string> extends PageOptions {
  readonly type?: Type | undefined;
  readonly status?: FollowedMessage["status"] | undefined;
}

/** Largest number of ids in a request. */
export const MAX_IDS = 100;

/** Asks for the states of any number of messages, in requests of up to 100. */
export async function statuses(
  request: Requester,
  refs: readonly MessageRef[],
  options?: Abortable,
): Promise<FollowedMessages> {
  const ids = [...new Set(checked(refs, "ids", "Array").map((ref) => idOf(ref)))];
  const messages: FollowedMessage[] = [];
  const missing: string[] = [];
  while (ids[0]) {
    const body = { ids: ids.splice(0, MAX_IDS) };
    const page = await request<FollowedMessages>("/status", "messages", options, "POST", body);
    messages.push(...page.messages);
    missing.push(...page.missing);
  }
  return { messages, missing };
}

/** Lists a page of the user's messages, schedules or batches. */
export async function page<Page = OwnMessages>(
  request: Requester,
  path: string,
  options: Abortable = {},
): Promise<Page> {
  const { signal: _, ...filter } = checked(options);
  // JSON leaves out options that are undefined.
  const query = new URLSearchParams(JSON.parse(exactJson(filter)));
  return await request(`${path}?${query}`, "next", options);
}
