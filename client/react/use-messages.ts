/** `useMessages`: what the signed-in user dispatched, live. */

import { nameOf } from "../dispatch.ts";
import type { ListOptions } from "../own.ts";
import { useOwn, useStore } from "./context.ts";
import { LOADING, MessageList, type MessagesState } from "./message-list.ts";
import type { KnownMessage } from "./register.ts";

/** Which messages {@link useMessages} lists. */
export interface UseMessagesOptions extends Pick<ListOptions, "status" | "limit"> {
  /** Only messages of this type: a registered name, or what `message` made. */
  readonly type?: KnownMessage | undefined;
}

/** Result of {@link useMessages}. */
export interface UseMessagesResult extends MessagesState {
  /** Loads the newest page again, in the background. It never rejects. */
  readonly refresh: () => Promise<void>;
  /** Loads a further page. It never rejects. */
  readonly loadMore: () => Promise<void>;
}

/**
 * Lists the signed-in user's own messages, the newest first. Unfinished messages are followed. The list is
 * loaded again when a hook dispatches, a user signs in, or the page comes back into view or online.
 *
 * ```tsx
 * const { messages, hasMore, loadMore } = useMessages({ type: "RenderVideo" });
 * ```
 */
export function useMessages(
  { type, status, limit }: UseMessagesOptions = {},
): UseMessagesResult {
  const name = type && nameOf(type);
  const { store, refresh, loadMore } = useOwn(
    ({ client, dispatched }) => new MessageList(client, { type: name, status, limit }, dispatched),
    name,
    status,
    limit,
  );
  return { ...useStore(store, () => LOADING), refresh, loadMore };
}
