/** The store of events, as transports keep them. */

import type { LimitedDispatch } from "../message/rate-limit.ts";
import type { EventRead, EventReads, TokenUse } from "./event-reads.ts";

/** Keeps events, and wakes the messages that wait for them. */
export interface EventStore {
  /**
   * Appends an event, wakes the messages that wait for its key, and returns its id.
   * @param value JSON
   * @param token that the emit uses up
   * @param limits that it counts against, without a token
   * @throws ConflictError if the token was used; RateLimitedError if a limit is reached
   */
  emit(
    ...args: [event: string, value: unknown, token?: TokenUse, limits?: readonly LimitedDispatch[]]
  ): Promise<string>;
  /** Reads the events that running messages wait for and have not seen; at most 100 a message, in order. */
  readEvents(reads: readonly EventRead[]): Promise<EventReads>;
}
