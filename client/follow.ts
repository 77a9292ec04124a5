/** Follows a message to its end, as an iterator over its states. */

import { type Entry, type FollowedState, isFinal, type Looks } from "./entry.ts";
import { idOf, type MessageRef } from "./ids.ts";
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
export function follow(looks: Looks, ref: MessageRef, { signal }: Abortable = {}): MessageStates {
  const id = idOf(ref);
  /** States that were not asked for yet. */
  const states: FollowedState[] = [];
  let last: FollowedState | undefined;
  let isOver = false;
  /** Why it ended early. */
  let failure: unknown;
  let wake = () => {};
  let stop = () => {};

  const end = (reason?: unknown) => {
    failure = reason;
    isOver = true;
    stop();
    signal?.removeEventListener("abort", onAbort);
    wake();
  };
  const onAbort = () => end(signal?.reason);
  const see = ({ state, error }: Entry) => {
    if (isOver) return;
    if (error) return end(error);
    if (!state || state === last) return;
    const unread = states.at(-1);
    // A slow reader gets the latest progress only.
    if (unread?.status === state.status && unread.attempt === state.attempt) states.pop();
    states.push(last = state);
    isFinal(state) ? end() : wake();
  };

  async function* generate(): AsyncGenerator<FollowedState, undefined> {
    if (signal?.aborted) throw signal.reason;
    signal?.addEventListener("abort", onAbort);
    stop = looks.watch(id, see);
    for (;;) {
      if (failure !== undefined) throw failure;
      const state = states.shift();
      if (state) yield state;
      else if (isOver) return;
      else await new Promise<void>((resolve) => wake = resolve);
    }
  }
  const generated = generate();
  const iterator: MessageStates = {
    next: () => generated.next(),
    return() {
      states.length = 0;
      // A generator that waits would end only after the next state.
      end();
      return generated.return(undefined);
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
