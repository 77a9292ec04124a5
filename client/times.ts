/** Waiting times of the client, as pure functions of time and chance. */

const FIRST_RETRY_MS = 500;
/** Longest wait before a repeat that the client chooses, in ms. */
export const MAX_RETRY_MS = 10_000;

/**
 * The wait before a repeat, in ms: the one that the server asks for, or a time that doubles. Up to a half of it is
 * added at random, so that clients do not return together.
 * @param retry 0 before the first repeat
 * @param askedMs the wait that the server asks for; undefined if it asks for none
 */
export function retryDelay(retry: number, askedMs: number | undefined): number {
  const ms = askedMs ?? Math.min(FIRST_RETRY_MS * 2 ** retry, MAX_RETRY_MS);
  return ms * (1 + Math.random() / 2);
}

const FIRST_LOOK_MS = 500;
const SLOW_LOOK_MS = 5_000;
/** Longest time between two requests for a state, in ms: an operator may cancel a message that is due tomorrow. */
export const MAX_POLL_MS = 30_000;
/** A request has up to 100 messages, and a client makes one a second at most. */
const MS_PER_MESSAGE = 10;

/**
 * The wait before the next request for a state, in ms. It grows with the time in which nothing happens: half of
 * that time up to 5 s, a tenth of it up to 30 s. A client that follows more messages than fit into a request a second
 * waits longer.
 * @param quietMs time since the message's status last changed or it became due; below 0 before it is due. Progress is
 * no change of status.
 * @param followed number of messages that the client polls
 */
export function pollDelay(quietMs: number, followed: number): number {
  return Math.min(
    MAX_POLL_MS,
    Math.max(
      ...[FIRST_LOOK_MS, -quietMs, Math.min(quietMs / 2, SLOW_LOOK_MS), quietMs / 10],
      followed * MS_PER_MESSAGE,
    ),
  );
}
