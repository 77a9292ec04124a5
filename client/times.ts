/** Waiting times of the client, as pure functions of time and chance. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/message/followed-message.ts";

const FIRST_RETRY_MS = 500;
/** Longest wait before a repeat, in ms. */
export const MAX_RETRY_MS = 10_000;

/**
 * The wait before a repeat, in ms: doubled each time, less up to half at random, so that clients do not
 * return together.
 * @param retry 0 before the first repeat
 * @param random from 0 to below 1
 */
export function retryDelay(retry: number, random: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** retry, MAX_RETRY_MS) * (1 - random / 2);
}

const FIRST_LOOK_MS = 500;
const SLOWEST_LOOK_MS = 5_000;
/** Longest time between two requests for a state, in ms: an operator may cancel a message that is due tomorrow. */
export const MAX_LOOK_MS = 30_000;

/**
 * Ms until a waiting message is due; 0 if it is due, or does not wait.
 * @param now in ms since 1970
 */
export function dueInMs({ status, availableAt }: FollowedMessage, now: number): number {
  const isWaiting = status === "pending" || status === "retrying";
  return isWaiting ? Math.max(0, Date.parse(availableAt ?? "") - now) || 0 : 0;
}

/**
 * The wait before the next request for a state, in ms: until the message is due, and then half as long
 * again after each request that finds nothing new.
 * @param dueInMs 0 if it is due
 * @param looks number of requests since it was due that found nothing new
 */
export function lookDelay(dueInMs: number, looks: number): number {
  return dueInMs > 0
    ? Math.min(dueInMs, MAX_LOOK_MS)
    : Math.min(FIRST_LOOK_MS * 1.5 ** looks, SLOWEST_LOOK_MS);
}
