/** How long the client waits, as pure functions of time and chance. */

import type { FollowedMessage } from "../supabase/functions/_shared/symphony/database/follow.ts";

const FIRST_RETRY_MS = 500;
/** The longest wait before a request is repeated, in ms. */
export const MAX_RETRY_MS = 10_000;

/**
 * How long to wait before a request is repeated, in ms: twice as long each time, less up to half by
 * chance, so that clients do not come back together.
 * @param retry 0 before the first
 * @param random from 0 to below 1
 */
export function retryDelay(retry: number, random: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** retry, MAX_RETRY_MS) * (1 - random / 2);
}

const FIRST_LOOK_MS = 500;
const SLOWEST_LOOK_MS = 5_000;
/** The longest time without a look, in ms: an operator may cancel what is due tomorrow. */
export const MAX_LOOK_MS = 30_000;

/**
 * How long until a message that waits is due, in ms; 0 where it is, or where it does not wait.
 * @param now in ms since 1970
 */
export function dueInMs({ status, availableAt }: FollowedMessage, now: number): number {
  const isWaiting = status === "pending" || status === "retrying";
  return isWaiting ? Math.max(0, Date.parse(availableAt ?? "") - now) || 0 : 0;
}

/**
 * How long to wait before the next look at a message, in ms: until it is due, or else half as long
 * again after each look that finds nothing new.
 * @param dueInMs 0 where it is due
 * @param looks that found nothing new since it was due
 */
export function lookDelay(dueInMs: number, looks: number): number {
  return dueInMs > 0
    ? Math.min(dueInMs, MAX_LOOK_MS)
    : Math.min(FIRST_LOOK_MS * 1.5 ** looks, SLOWEST_LOOK_MS);
}
