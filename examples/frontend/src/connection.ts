/** One connection for the header, out of those of all that is followed. */

import type { FollowedState, MessageView } from "symphony-messenger/client";
import { useSyncExternalStore } from "react";
import { skipToken, useMessage } from "symphony-messenger/react";
import { isUnfinished, type PageConnection } from "./words.ts";

type Connection = MessageView["connection"];

/** Worst first: the header tells what a user has to know. */
const ORDER: readonly Connection[] = ["signed_out", "offline", "connecting", "polling", "live"];

function subscribe(listener: () => void): () => void {
  addEventListener("online", listener);
  addEventListener("offline", listener);
  return () => {
    removeEventListener("online", listener);
    removeEventListener("offline", listener);
  };
}

/** Whether the browser has a network. */
function useIsOnline(): boolean {
  return useSyncExternalStore(subscribe, () => navigator.onLine, () => true);
}

/** The worst connection of several jobs, and of the messages of a list. */
export function useConnection(
  jobs: readonly MessageView[],
  listed: readonly FollowedState[],
): PageConnection {
  const isOnline = useIsOnline();
  // All that is followed shares one connection: one of the list stands for the others.
  const open = listed.find(isUnfinished);
  const view = useMessage(open?.id ?? skipToken);
  if (!isOnline) return "offline";
  const followed = [...jobs, ...(open ? [view] : [])]
    .filter(({ message }) => message && isUnfinished(message))
    .map(({ connection }) => connection);
  return ORDER.find((connection) => followed.includes(connection)) ?? "ready";
}
