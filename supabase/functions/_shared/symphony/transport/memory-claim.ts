/** The result of a claim of the transport in memory. */

import { isFirst, leasesOf, type MemoryState } from "./memory-give.ts";
import { once, withParent } from "./memory-queues.ts";
import { handedOut, type Row, type StoredEnvelope } from "./memory-rows.ts";
import { type Claim, type ClaimRequest, START_WINDOW_MS } from "./receiver.ts";

/** Messages that a claim has leased. */
export interface Given {
  readonly messages: readonly StoredEnvelope[];
  readonly crashed: readonly StoredEnvelope[];
  /** Other messages are due too, and did not fit into the claim. */
  readonly more: boolean;
}

/**
 * Copies the leased messages, and finds when the worker should claim again.
 * @param wanted all rows of the queues that the request is for
 */
export function claimOf(
  { messages, crashed, more }: Given,
  request: ClaimRequest,
  wanted: readonly Row[],
  state: MemoryState,
): Claim {
  const { queues, now } = state;
  const opensAt = once((queue) =>
    Math.max(...withParent(queue).map((name) => queues.opensAt(name, leasesOf(name, state), now)))
  );
  const waiting = wanted
    .filter((row) => row.leasedUntil === null && isFirst(row, state))
    .map(({ envelope }) => ({
      quarantined: envelope.quarantined,
      startsAt: Math.max(envelope.availableAt.getTime(), opensAt(envelope.queue)),
    }));
  const nextDue = Math.min(...waiting.map(({ startsAt }) => startsAt));
  return {
    messages: messages.map((envelope) => ({
      ...handedOut(envelope, false),
      ...(queues.isRated(envelope.queue) &&
        { startWindowMs: request.startWindowMs ?? START_WINDOW_MS }),
    })),
    crashed: crashed.map((envelope) => handedOut(envelope, true)),
    more,
    lastKeys: {},
    quarantinedDue: waiting.some(({ quarantined, startsAt }) => quarantined && startsAt <= now),
    nextDueMs: messages.length + crashed.length > 0 || nextDue === Infinity
      ? null
      : Math.max(0, nextDue - now),
    leaseMs: Math.min(
      request.leaseMs,
      ...messages.map(({ queue }) => queues.get(queue).leaseMs ?? Infinity),
    ),
    lockMs: 0,
    now,
  };
}
