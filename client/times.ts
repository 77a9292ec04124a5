/** Waiting times of the client, as pure functions of time and chance. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";

const FIRST_RETRY_MS = 500;
/** Longest wait before a repeat that the client chooses, in ms. */
export const MAX_RETRY_MS = 10_000;

/**
 * The wait before a repeat, in ms: the one that the server asks for, or a time that doubles. Up to a half of it is
 * added at random, so that clients do not return together.
 * @param retry 0 before the first repeat
 * @param askedMs the wait that the server asks for; undefined if it asks for none
 * @param random from 0 to below 1
 */
export function retryDelay(retry: number, askedMs: number | undefined, random: number): number {
  return (askedMs ?? Math.min(FIRST_RETRY_MS * 2 ** retry, MAX_RETRY_MS)) * (1 + random / 2);
}

const FIRST_LOOK_MS = 500;
const SLOW_LOOK_MS = 5_000;
/** Longest time between two requests for a state, in ms: an operator may cancel a message that is due tomorrow. */
export const MAX_LOOK_MS = 30_000;

/** The parts of a message's state that decide when it is due. */
type Waiting = { readonly status: string } & Pick<FollowedMessage, "availableAt">;

/**
 * When a waiting message is due, in ms since 1970; 0 if it does not wait.
 */
export function dueAtOf({ status, availableAt }: Waiting): number {
  const isWaiting = status === "pending" || status === "retrying";
  return isWaiting ? Date.parse(availableAt ?? "") || 0 : 0;
}

/** The circumstances on which the wait between two looks depends. */
export interface Quiet {
  /** Ms until the message is due; 0 or less if it is due. */
  readonly dueInMs: number;
  /** Ms since its status last changed, or since it became due. Progress is no change of status. */
  readonly quietMs: number;
  /** Number of requests that one look at all followed messages takes. */
  readonly requests: number;
  /** Whether live updates tell the changes of messages of this type, or only an operator can change it. */
  readonly isQuiet: boolean | undefined;
}

/**
 * The wait before the next request for a state, in ms. It grows with the time in which nothing happens: half of
 * that time up to 5 s, a tenth of it up to 30 s. It is 30 s for messages that are quiet. A client that follows more
 * messages than fit into a request waits a second longer for each further request.
 */
export function lookDelay({ dueInMs, quietMs, requests, isQuiet }: Quiet): number {
  if (isQuiet) return MAX_LOOK_MS;
  const ms = dueInMs > 0
    ? dueInMs
    : Math.max(FIRST_LOOK_MS, Math.min(quietMs / 2, SLOW_LOOK_MS), quietMs / 10);
  return Math.min(Math.max(ms, (requests - 1) * 1_000), MAX_LOOK_MS);
}
