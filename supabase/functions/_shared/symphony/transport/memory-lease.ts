/** Leases rows of the transport in memory for a claim: due messages, expired ones and crashed ones. */

import type { Given } from "./memory-claim.ts";
import { besides, give, isPastTtl, type MemoryState, pastTtl } from "./memory-give.ts";
import { inClaimOrder, type Row, type StoredEnvelope } from "./memory-rows.ts";
import type { ClaimRequest } from "./receiver.ts";

/**
 * Leases what a claim may have.
 * @param wanted rows of the queues that the request is for
 */
export function leaseRows(
  request: ClaimRequest,
  wanted: readonly Row[],
  state: MemoryState,
): Given {
  const { now } = state;
  const { quarantined = false, sweep = true, unread = false } = request;
  const crashed = wanted.filter(({ leasedUntil }) =>
    sweep && leasedUntil !== null && leasedUntil <= now
  );
  const past = sweep ? pastTtl(request, state) : [];
  const rest = besides(past, request);
  const due = wanted.filter((row) =>
    row.leasedUntil === null && row.envelope.quarantined === quarantined &&
    row.envelope.availableAt.getTime() <= now && !past.includes(row)
  );
  const { given, more } = give(due.sort(inClaimOrder), rest, state);
  const leases = new Leases(request, state);
  const started = [...past, ...given].sort(inClaimOrder).map((row) => leases.start(row));
  const swept = crashed.map((row) => leases.sweep(row));
  return {
    messages: unread ? [] : started,
    crashed: unread ? [...swept, ...started] : swept,
    more: more || rest.maxMessages < request.maxMessages - past.length,
  };
}

/** Messages that an earlier claim under the same token leased; null if there are none. */
export function leasedBefore({ token }: ClaimRequest, rows: readonly Row[]): Given | null {
  const envelopes = rows.filter(({ cancelled }) => !cancelled).map(({ envelope }) => envelope);
  const messages = envelopes.filter(({ leaseToken }) => leaseToken === token);
  const crashed = envelopes.filter(({ leaseToken }) => leaseToken === crashedToken(token));
  return messages.length + crashed.length > 0 ? { messages, crashed, more: false } : null;
}

/** Writes the leases of one claim. */
class Leases {
  constructor(
    private readonly request: ClaimRequest,
    private readonly state: MemoryState,
  ) {}

  /** Leases a message for its next attempt. */
  start(row: Row): StoredEnvelope {
    const { token, unread } = this.request;
    return this.#lease(row, unread ? crashedToken(token) : token, row.envelope.attempts + 1);
  }

  /** Leases a message whose worker has died. A sweep that was not settled is an attempt, as in Postgres. */
  sweep(row: Row): StoredEnvelope {
    const { attempts, leaseToken } = row.envelope;
    const wasSwept = leaseToken.endsWith(CRASHED);
    return this.#lease(row, crashedToken(this.request.token), attempts + Number(wasSwept));
  }

  #lease(row: Row, leaseToken: string, attempts: number): StoredEnvelope {
    const { now, queues } = this.state;
    row.leasedUntil = now + (queues.get(row.envelope.queue).leaseMs ?? this.request.leaseMs);
    const expired = isPastTtl(row, now);
    row.heldUntilClaim = row.holds?.untilStarted ? row.holds : null;
    if (row.holds?.untilStarted || expired) row.holds = null;
    row.envelope = { ...row.envelope, leaseToken, attempts, expired };
    return row.envelope;
  }
}

const CRASHED = " crashed";

/** The lease token of crashed messages, which differs so that a repeated claim tells them apart. */
function crashedToken(token: string): string {
  return `${token}${CRASHED}`;
}
