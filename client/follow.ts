/** Follows a message to its end, as an iterator over its states. */

import { type FollowedState, isFinal } from "./entry.ts";
import { idOf, type MessageRef } from "./ids.ts";
import type { Looks } from "./looks.ts";
import type { Abortable } from "./request.ts";

/**
 * The states of a message, each once: `for await (const { status } of messenger.follow(id))`. The loop ends after
 * `handled`, `failed`, `cancelled` or `not_remembered`; it throws a MessengerError, or the signal's reason.
 */
export interface MessageStates extends AsyncIterable<FollowedState> {
  next(): Promise<IteratorResult<FollowedState, undefined>>;
  /** Ends it at once, also while a state is waited for. */
  return(): Promise<IteratorResult<FollowedState, undefined>>;
  [Symbol.asyncIterator](): MessageStates;
}

/**
 * Follows a message. Nothing happens before the first state is asked for. A generator could not be ended while it
 * waits, so this is none.
 */
export function follow(looks: Looks, ref: MessageRef, { signal }: Abortable = {}): MessageStates {
  const id = idOf(ref, "message");
  /** States that were not asked for yet. */
  const states: FollowedState[] = [];
  let last: FollowedState | undefined;
  let stop: (() => void) | undefined;
  let isOver = false;
  /** Throws the reason of a failed end, once. */
  let fail: (() => never) | undefined;
  let wake = () => {};
  let news = Promise.resolve();
  const tell = () => {
    wake();
    news = new Promise((resolve) => wake = resolve);
  };

  const end = () => {
    isOver = true;
    stop?.();
    signal?.removeEventListener("abort", onAbort);
    tell();
  };
  const endWith = (reason: unknown) => {
    states.length = 0;
    fail ??= () => {
      fail = undefined;
      throw reason;
    };
    end();
  };
  const onAbort = () => endWith(signal?.reason);

  const start = () => {
    tell();
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort);
    stop = looks.watch(id, ({ state, error }) => {
      if (isOver) return;
      if (error) return endWith(error);
      if (!state || state === last) return;
      const unread = states.at(-1);
      // A slow reader gets the latest progress only.
      if (unread?.status === state.status && unread.attempt === state.attempt) states.pop();
      states.push(last = state);
      isFinal(state) ? end() : tell();
    });
    // The first state may have been the last.
    if (isOver) stop();
  };

  const iterator: MessageStates = {
    async next() {
      if (!stop && !isOver) start();
      for (;;) {
        const value = states.shift();
        if (value) return { done: false, value };
        fail?.();
        if (isOver) return { done: true, value: undefined };
        await news;
      }
    },
    return() {
      states.length = 0;
      end();
      return iterator.next() as Promise<IteratorResult<FollowedState, undefined>>;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** Waits for the end of a message and returns its last state. */
export async function finished(
  looks: Looks,
  ref: MessageRef,
  options?: Abortable,
): Promise<FollowedState> {
  let last: FollowedState | undefined;
  for await (last of follow(looks, ref, options));
  return last as FollowedState;
}
