/** Following a message to its end: by looking again, and by live updates where they are. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/database/follow.ts";
import type { LiveUpdates } from "./live.ts";
import { pause } from "./request.ts";
import { dueInMs, lookDelay, MAX_LOOK_MS } from "./times.ts";

export type { FollowedMessage };

/** How a message is followed. */
export interface FollowOptions {
  /** Listens to the user's Realtime channel as well, for types that are `live`. */
  readonly live?: boolean;
  /** Ends it: the loop over the changes throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Yields a message as it is, and after each change; the last is `handled`, `failed` or `cancelled`.
 * @param look asks for the message, and throws where it cannot be told
 */
export async function* follow(
  id: string,
  look: () => Promise<FollowedMessage>,
  live: LiveUpdates | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<FollowedMessage, void> {
  // Null: some may have been missed.
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
      // An update may be overtaken by a look, and a look by an update.
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

/** How far a message is within an attempt. */
function rank({ status }: FollowedMessage): number {
  const place = ["pending", "processing", "retrying"].indexOf(status);
  return place < 0 ? DONE : place;
}

function isBefore(one: FollowedMessage, other: FollowedMessage): boolean {
  return (one.attempt - other.attempt || rank(one) - rank(other)) < 0;
}
