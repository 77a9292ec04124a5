/** Follows a message to its end, as an iterator over its states. */

import { type FollowedState, isFinal, type MessageObserver } from "./entry.ts";
import type { MessengerError } from "./errors.ts";
import { checked } from "./given.ts";
import type { Abortable } from "./request.ts";

/**
 * The states of a message, each once: `for await (const { status } of messenger.follow(id))`. The loop ends after
 * `handled`, `failed`, `cancelled` or `not_remembered`; it throws a MessengerError, or the signal's reason.
 */
export interface MessageStates<Result = unknown> extends AsyncIterable<FollowedState<Result>> {
  next(): Promise<IteratorResult<FollowedState<Result>, undefined>>;
  /** Ends it at once, also while a state is waited for. */
  return(): Promise<IteratorResult<FollowedState<Result>, undefined>>;
  [Symbol.asyncIterator](): MessageStates<Result>;
}

/** Follows a message. Nothing happens before the first state is asked for. */
export function follow(
  { subscribe, get }: MessageObserver,
  options: Abortable = {},
): MessageStates {
  const { signal } = checked(options);
  /** States that were not asked for yet. */
  const unread: FollowedState[] = [];
  let last: FollowedState | undefined;
  let failure: MessengerError | undefined;
  let isOver = false;
  let wake = () => {};

  async function* generate(): AsyncGenerator<FollowedState, undefined> {
    const over = new AbortController();
    const unsubscribe = subscribe(() => {
      const { message, error } = get();
      failure = error;
      if (!error && message && message !== last) {
        const before = unread.at(-1);
        // A slow reader gets the latest progress only.
        if (before?.status === message.status && before.attempt === message.attempt) unread.pop();
        unread.push(last = message);
        isOver = isFinal(message);
      }
      isOver || error ? stop() : wake();
    });
    const stop = () => {
      unsubscribe();
      over.abort();
      wake();
    };
    signal?.addEventListener("abort", stop, over);
    try {
      for (;;) {
        signal?.throwIfAborted();
        if (failure) throw failure;
        const state = unread.shift();
        if (state) yield state;
        else if (isOver) return;
        else await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      stop();
    }
  }
  const iterator = generate();
  const { return: end } = iterator;
  iterator.return = () => {
    // A generator that waits would end only after the next state.
    isOver = true;
    wake();
    return end.call(iterator, undefined);
  };
  return iterator as unknown as MessageStates;
}
