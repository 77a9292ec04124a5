/**
 * The worker's round trip: settle what is done, claim what comes next. A call whose answer is lost, or that
 * nobody could serve, is repeated while the leases hold. What one message's data makes impossible hurts that
 * message only: it is found by halves.
 */

import type { Logger } from "../../runtime/log.ts";
import type { Settlement } from "../../message/outcome.ts";
import {
  type Claim,
  type ClaimRequest,
  type SettleResult,
  type Transport,
  TransportError,
} from "../../transport/transport.ts";
import { settleByHalves } from "./settle-by-halves.ts";

/** What became of an exchange. */
export interface Exchanged {
  /** Settlements that were written. */
  readonly settled: readonly Settlement[];
  /** What was claimed; null where the call only settled. */
  readonly claim: Claim | null;
}

/** What an exchange needs. */
export interface ExchangeDependencies {
  readonly transport: Transport;
  /** Whether a call that failed is still worth repeating. */
  readonly keepTrying: () => boolean;
  readonly log: Logger;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;

/**
 * Settles, and claims if `request` is given.
 * @throws TransportError if it could not be done while it was worth it; nothing is lost, for the leases run
 * out and the messages are delivered again
 */
export async function exchange(
  settlements: readonly Settlement[],
  request: ClaimRequest | null,
  deps: ExchangeDependencies,
): Promise<Exchanged> {
  if (settlements.length === 0) {
    return { settled: [], claim: request && await claimByHalves(request, deps) };
  }
  const { transport, log } = deps;
  try {
    const { answer, repeated } = await repeating(
      (repeated) => call(transport, settlements, request && { ...request, repeated }),
      deps,
    );
    return {
      settled: written(settlements, answer.stale, repeated, log),
      claim: "messages" in answer ? answer : null,
    };
  } catch (error) {
    if (!isOfItsContent(error)) throw error;
    log.warn("exchange_split", { messages: settlements.length, error: String(error) });
  }
  const settled = await settleByHalves(settlements, {
    ...deps,
    settle: async (some) => {
      const { answer } = await repeating(() => transport.settle(some), deps);
      // What took longer than its answer was waited for may have been written by the first call.
      return written(some, answer.stale, true, log);
    },
    isOfItsContent,
  });
  // For the same reason it may have claimed.
  return { settled, claim: request && await claimByHalves({ ...request, repeated: true }, deps) };
}

/** Claims; where what it would give cannot be given, half of it, and at last one message unread. */
async function claimByHalves(request: ClaimRequest, deps: ExchangeDependencies): Promise<Claim> {
  const { transport, log } = deps;
  let { maxMessages, unread = false } = request;
  for (;;) {
    try {
      const { answer } = await repeating((repeated) =>
        transport.claim({
          ...request,
          maxMessages,
          ...(unread && { unread }),
          repeated: repeated || request.repeated === true,
        }), deps);
      return answer;
    } catch (error) {
      if (!isOfItsContent(error)) throw error;
      log.warn("claim_split", { maxMessages, error: String(error) });
      if (maxMessages > 1) maxMessages = Math.floor(maxMessages / 2);
      else if (!unread && !isTooMuch(error)) unread = true;
      else if (deps.keepTrying()) await pause(LONGEST_PAUSE_MS);
      else throw error;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isTooMuch(error: unknown): boolean {
  return error instanceof TransportError && error.fault === "too_much";
}

/** Whether a call failed by what it holds, so that a part of it may pass. */
export function isOfItsContent(error: unknown): boolean {
  // What is no TransportError is a refused argument, or a value that is no JSON.
  return !(error instanceof TransportError) || error.fault === "data" || isTooMuch(error);
}

/** Calls again, after a pause, until an answer comes or the fault lies in what the call holds. */
async function repeating<Answer>(
  call: (repeated: boolean) => Promise<Answer>,
  { keepTrying, log }: ExchangeDependencies,
): Promise<{ readonly answer: Answer; readonly repeated: boolean }> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let repeated = false;; repeated = true) {
    try {
      return { answer: await call(repeated), repeated };
    } catch (error) {
      if (isOfItsContent(error) || !keepTrying()) throw error;
      log.warn("exchange_repeated", { error: String(error), pauseMs });
    }
    await pause(pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function call(
  transport: Transport,
  settlements: readonly Settlement[],
  request: ClaimRequest | null,
): Promise<SettleResult & (Claim | Record<never, never>)> {
  return request ? transport.settleAndClaim(settlements, request) : transport.settle(settlements);
}

/** @param repeated after a lost answer, stale may just mean that the first call had settled it */
function written(
  settlements: readonly Settlement[],
  stale: readonly string[],
  repeated: boolean,
  log: Logger,
): readonly Settlement[] {
  if (stale.length === 0 || repeated) return settlements;
  log.warn("settle_stale", { ids: stale });
  const gone = new Set(stale);
  return settlements.filter(({ id }) => !gone.has(id));
}
