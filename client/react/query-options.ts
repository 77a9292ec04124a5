/** `messageQueryOptions`: following with TanStack Query, which this file does not import. */

import { type FollowedState, isFinal, isSettled } from "../entry.ts";
import type { MessengerError } from "../errors.ts";
import type { MessageId } from "../ids.ts";
import type { Messenger } from "./messenger.ts";

/** The part of TanStack's query that the options read. */
interface Query {
  readonly state: { readonly data: FollowedState | undefined; readonly error: unknown };
}

/**
 * Makes the options of TanStack Query 5 for a message: its state, requested again until it has reached its end. A dead letter
 * may be redriven: it is requested every 30 s.
 *
 * ```tsx
 * const { data } = useQuery(messageQueryOptions(messenger, id));
 * ```
 *
 * The key is `["symphony-messenger", "message", id]`. Clear the cache when the user signs out.
 */
export function messageQueryOptions(client: Pick<Messenger, "status">, id: MessageId) {
  return {
    queryKey: ["symphony-messenger", "message", id] as const,
    queryFn: ({ signal }: { readonly signal: AbortSignal }) => client.status(id, { signal }),
    /** Ms until the next request: when the message is due, and then a tenth of the time since, 1 s to 30 s. */
    refetchInterval: ({ state: { data, error } }: Query): number | false => {
      if (data && isSettled(data) || error && !(error as MessengerError).retryable) return false;
      if (isOver(data)) return 30_000;
      const dueInMs = Date.parse(data?.availableAt ?? "") - Date.now() || 0;
      return Math.min(Math.max(dueInMs, dueInMs / -10, 1_000), 30_000);
    },
    /** A state that cannot change any more stays fresh. */
    staleTime: ({ state: { data } }: Query): number => data && isSettled(data) ? Infinity : 0,
    /** The client itself repeats. */
    retry: false as const,
  };
}

/** Whether a message is known to have reached its end. */
export function isOver(message: FollowedState | undefined): boolean {
  return !!message && isFinal(message);
}
