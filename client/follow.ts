/** Follows a message to its end: by repeated requests, and by live updates where they are on. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";
import type { LiveUpdates } from "./live.ts";
import { pause } from "./request.ts";
import { dueInMs, lookDelay, MAX_LOOK_MS } from "./times.ts";

export type { FollowedMessage };

/** Options of following a message. */
export interface FollowOptions {
  /** Also listens to the user's Realtime channel, for types that are `live`. */
  readonly live?: boolean;
  /** Ends it: the loop over the states throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Yields a message's state, and each later one; the last is `handled`, `failed` or `cancelled`.
 * @param look requests the state; it throws if there is none
 */
export async function* follow(
  id: string,
  look: () => Promise<FollowedMessage>,
  live: LiveUpdates | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<FollowedMessage, void> {
  // Null: updates may have been missed.
  const news: (FollowedMessage | null)[] = [];
  let wake = () => {};
  const stop = live?.listen((update) => {
    if (update && update.id !== id) return;
    news.push(update);
    wake();
  });
  try {
    let last: FollowedMessage | undefined;
    let looks = 0;
    for (;;) {
      const told = news.shift();
      const message = told ?? await look();
      // A live update and an answer may arrive in the wrong order.
      if (told ? last && isBefore(told, last) : news.length > 0) continue;
      const isNew = JSON.stringify(message) !== JSON.stringify(last);
      last = message;
      if (isNew) yield message;
      if (rank(message) === DONE) return;
      if (news.length > 0) continue;
      const dueIn = dueInMs(message, Date.now());
      looks = isNew || dueIn > 0 ? 0 : looks + 1;
      const delayMs = live?.isOn ? MAX_LOOK_MS : lookDelay(dueIn, looks);
      await pause(delayMs, signal, (end) => wake = end);
    }
  } finally {
    stop?.();
  }
}

const DONE = 3;

/** Order of the states within an attempt. */
function rank({ status }: FollowedMessage): number {
  const place = ["pending", "processing", "retrying"].indexOf(status);
  return place < 0 ? DONE : place;
}

function isBefore(one: FollowedMessage, other: FollowedMessage): boolean {
  return (one.attempt - other.attempt || rank(one) - rank(other)) < 0;
}
