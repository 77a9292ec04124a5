/** Data of the API in a component: polled, kept over errors, and given up when the component goes. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { LOADING, Poll, type Snapshot } from "./poll.ts";

/** A resource, as components see it. */
export interface Resource<Data> extends Snapshot<Data> {
  /** Asks again at once, as after a change. */
  readonly reload: () => void;
  /** Whether `data` is that of the key before, kept until the new one's comes. */
  readonly isOutdated: boolean;
}

/** Options of `useResource`. */
export interface ResourceOptions {
  /** Time between two requests in ms; default 5 s. null: asks once, and after `reload`. */
  readonly everyMs?: number | null;
  /** Whether data of the key before stays visible until the new one's comes; default false. */
  readonly keepsData?: boolean;
}

const DEFAULT_EVERY_MS = 5_000;

/**
 * Reads a resource and keeps it up to date.
 * @param key tells which resource it is, such as `queues?cursor=a`: a new key asks at once; null asks nothing
 * @param fetcher asks for it; it gets a signal that it has to give to the request
 * @example
 * const queues = useResource("queues", (signal) => answerOf(api.GET("/queues", { signal })));
 */
export function useResource<Data>(
  key: string | null,
  fetcher: (signal: AbortSignal) => Promise<Data>,
  { everyMs = DEFAULT_EVERY_MS, keepsData = false }: ResourceOptions = {},
): Resource<Data> {
  const [held, setHeld] = useState<{ key: string | null; snapshot: Snapshot<Data> }>({
    key,
    snapshot: LOADING,
  });
  const newest = useRef(fetcher);
  newest.current = fetcher;
  const poll = useRef<Poll<Data> | null>(null);
  const isSame = held.key === key;
  const isOutdated = !isSame && keepsData && held.snapshot.data !== undefined;
  const current = isSame
    ? held.snapshot
    // An error of the key before says nothing about this one.
    : isOutdated
    ? { ...held.snapshot, error: null, staleSince: null, isLoading: true }
    : LOADING;
  useEffect(() => {
    if (key === null) return;
    const started = new Poll<Data>(
      (signal) => newest.current(signal),
      everyMs,
      // Data of another key must not stay if the request for this one fails.
      isSame ? held.snapshot : LOADING,
      (snapshot) => setHeld({ key, snapshot }),
    );
    poll.current = started;
    return () => started.stop();
  }, [key, everyMs]);
  const reload = useCallback(() => poll.current?.reload(), []);
  return { ...current, isOutdated, reload };
}
