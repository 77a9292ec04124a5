/** Events, and the messages that wait for them, as operators see them. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ask, type CappedCount } from "./ask.ts";

/** An event in a list. Moments are ISO 8601. */
export interface ListedEvent {
  id: string;
  /** Its key. */
  event: string;
  /** Length of its value as text. */
  bytes: number;
  createdAt: string;
  /** Messages that wait for its key now, counted up to 100. */
  waiting: CappedCount;
}

/** A message that waits for events. */
export interface WaitingForEvents {
  id: string;
  type: string;
  queue: string;
  createdAt: string;
  /** When its wait times out; null if it never does. */
  until: string | null;
  /** The keys that it waits for, the first 100. */
  events: string[];
}

/** Which page to list. */
interface Page {
  /** A key; by default all of them. */
  readonly event?: string | undefined;
  /** `next` of the page before. */
  readonly beforeId?: string | undefined;
}

/** Lists events, the latest first, without values. @throws the errors of `callRpc` */
export function listEvents(
  client: SupabaseClient,
  page: Page & { readonly maxEvents: number },
): Promise<{ events: ListedEvent[]; next: string | null }> {
  return ask(client, "messenger_list_events", page);
}

/** Returns an event with its value; null if there is none of this id. @throws the errors of `callRpc` */
export function showEvent(
  client: SupabaseClient,
  id: string,
): Promise<(ListedEvent & { value: unknown }) | null> {
  return ask(client, "messenger_show_event", { id });
}

/** Lists messages that wait for events, the latest first. @throws the errors of `callRpc` */
export function listWaiting(
  client: SupabaseClient,
  page: Page & { readonly maxMessages: number },
): Promise<{ messages: WaitingForEvents[]; next: string | null }> {
  return ask(client, "messenger_list_waiting", page);
}
