/**
 * The worker's round trip: settle what is done, claim what comes next. A call whose answer is lost is
 * repeated while the leases hold; what one message's data makes impossible hurts that message only.
 */

import type { Logger } from "../log.ts";
import type { Settlement } from "../outcome.ts";
import {
  type Claim,
  type ClaimRequest,
  type SettleResult,
  type Transport,
  TransportError,
} from "../transport/transport.ts";

/** What became of an exchange. */
export interface Exchanged {
  /** Settlements that were written. */
  readonly settled: readonly Settlement[];
  /** What was claimed; null where the call only settled. */
  readonly claim: Claim | null;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Settles, and claims if `request` is given.
 * @param keepTrying whether a call that failed is still worth repeating
 * @throws TransportError if it could not be done in that time; nothing is lost, for the leases run
 * out and the messages are delivered again
 */
export async function exchange(
  settlements: readonly Settlement[],
  request: ClaimRequest | null,
  deps: { readonly transport: Transport; readonly keepTrying: () => boolean; readonly log: Logger },
): Promise<Exchanged> {
  const { transport, keepTrying, log } = deps;
  let pauseMs = FIRST_PAUSE_MS;
  for (let repeated = false;; repeated = true) {
    try {
      const answer = await call(transport, settlements, request && { ...request, repeated });
      return {
        // After a lost answer, stale may just mean that the first call had settled it.
        settled: repeated ? settlements : withoutStale(settlements, answer.stale, log),
        claim: "messages" in answer ? answer : null,
      };
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      if (!error.retryable) return await oneByOne(settlements, error, transport, log);
      if (!keepTrying()) throw error;
      log.warn("exchange_repeated", { error: error.message, pauseMs });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function call(
  transport: Transport,
  settlements: readonly Settlement[],
  request: ClaimRequest | null,
): Promise<SettleResult & (Claim | Record<never, never>)> {
  if (!request) return transport.settle(settlements);
  if (settlements.length > 0) return transport.settleAndClaim(settlements, request);
  return transport.claim(request).then((claim) => ({ stale: [], ...claim }));
}

/** Settlements that the database refused together, tried alone: one refusal must not hold the rest. */
async function oneByOne(
  settlements: readonly Settlement[],
  refusal: TransportError,
  transport: Transport,
  log: Logger,
): Promise<Exchanged> {
  if (settlements.length === 0) throw refusal;
  const settled: Settlement[] = [];
  for (const settlement of settlements) {
    try {
      const { stale } = await transport.settle([settlement]);
      settled.push(...withoutStale([settlement], stale, log));
    } catch (error) {
      log.error("settle_refused", { id: settlement.id, error: String(error) });
    }
  }
  return { settled, claim: null };
}

function withoutStale(
  settlements: readonly Settlement[],
  stale: readonly string[],
  log: Logger,
): readonly Settlement[] {
  if (stale.length === 0) return settlements;
  log.warn("settle_stale", { ids: stale });
  const gone = new Set(stale);
  return settlements.filter(({ id }) => !gone.has(id));
}
