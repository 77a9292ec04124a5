/**
 * The worker's round trip: one call writes outcomes and claims the next messages. A call that fails, or
 * whose answer is lost, is repeated while the leases hold. If the data of one message make the call
 * impossible, the call is split in halves until only that message fails.
 */

import { describeError } from "../../message/describe-error.ts";
import type { Settlement } from "../../message/outcome.ts";
import type { Logger } from "../../runtime/log.ts";
import type {
  Claim,
  ClaimRequest,
  RefusedEffects,
  SettleResult,
} from "../../transport/receiver.ts";
import type { Transport } from "../../transport/transport.ts";
import { type CallDependencies, isOfALock, isOfARow, isOfItsContent, repeating } from "../calls.ts";
import { claimByHalves } from "../claim/claim-by-halves.ts";
import { settleByHalves, settleInstead } from "./settle-by-halves.ts";

/** The result of a round trip. */
export interface SettledAndClaimed {
  /** Settlements that were written. */
  readonly settled: readonly Settlement[];
  /** Messages whose effects were refused: they wait for another outcome. */
  readonly refused: readonly RefusedEffects[];
  /** The answer to the claim; null if the call only settled, or the claim gave way to other calls. */
  readonly claim: Claim | null;
}

/** The needs of a call that writes outcomes. */
export interface SettleDependencies extends CallDependencies {
  /** Takes an outcome that is refused for now, to try it again later; false if it is to end now, as it does by default. */
  readonly later?: (settlement: Settlement) => boolean;
}

/**
 * Writes outcomes, and claims if there is a request.
 * @throws TransportError if the database stayed out of reach for as long as repeating was worth it. No
 * message is lost: the leases run out, and the messages are delivered again
 */
export async function settleAndClaim(
  settlements: readonly Settlement[],
  request: ClaimRequest | null,
  deps: SettleDependencies,
): Promise<SettledAndClaimed> {
  if (settlements.length === 0) {
    return { settled: [], refused: [], claim: request && await claimByHalves(request, deps) };
  }
  const { transport, log } = deps;
  const refused: RefusedEffects[] = [];
  try {
    const { answer, repeated } = await repeating(
      (repeated) => call(transport, settlements, request && { ...request, repeated }),
      deps,
      settlements.length > 1,
    );
    const settled = written(settlements, answer, repeated, refused, log);
    return {
      ...await endRefused(settlements, { settled, refused }, deps),
      claim: "messages" in answer ? answer : null,
    };
  } catch (error) {
    const isDivisible = isOfARow(error) || settlements.length > 1 && isOfALock(error);
    if (!isOfItsContent(error) && !isDivisible) throw error;
    log.warn("settle_split", { messages: settlements.length, error: String(error) });
  }
  // The first call may have been served after all: one that took longer than the worker waited for it has
  // written and claimed. Therefore both calls in its place count as repetitions.
  return {
    ...await settleApart(settlements, deps),
    claim: request && await claimByHalves({ ...request, repeated: true }, deps),
  };
}

/**
 * Writes outcomes that were refused together, as {@link settleByHalves} does.
 * @throws TransportError if the database stayed out of reach
 */
export async function settleApart(
  settlements: readonly Settlement[],
  deps: SettleDependencies,
): Promise<Omit<SettledAndClaimed, "claim">> {
  const { transport, log, later = () => false } = deps;
  const refused: RefusedEffects[] = [];
  const settled = await settleByHalves(settlements, {
    ...deps,
    later,
    refuse: ({ id, leaseToken }, error) => refused.push({ id, leaseToken, error }),
    settle: async (some) => {
      const { answer } = await repeating(() => transport.settle(some), deps, some.length > 1);
      return written(some, answer, true, refused, log);
    },
  });
  return await endRefused(settlements, { settled, refused }, deps);
}

/**
 * Ends messages with effects whose outcome itself is refused, such as by a foreign key on their row: they do not run
 * again, and what they have dispatched is written.
 */
async function endRefused(
  settlements: readonly Settlement[],
  { settled, refused }: Omit<SettledAndClaimed, "claim">,
  deps: CallDependencies,
): Promise<Omit<SettledAndClaimed, "claim">> {
  if (!refused.some(({ ofOutcome }) => ofOutcome)) return { settled, refused };
  const { transport, log } = deps;
  const ended = [...settled];
  const rest = refused.filter(({ ofOutcome }) => !ofOutcome);
  for (const { id, leaseToken, error } of refused.filter(({ ofOutcome }) => ofOutcome)) {
    const own = settlements.find((one) => one.id === id && one.leaseToken === leaseToken);
    if (!own) continue;
    const settle = async (some: readonly Settlement[]) => {
      const { answer } = await repeating(() => transport.settle(some), deps);
      const again = answer.refused?.find(({ ofOutcome }) => ofOutcome);
      // Whatever its code: no other message is in this call.
      if (again) throw new RangeError(describeError(again.error).message, { cause: again.error });
      return written(some, answer, true, rest, log);
    };
    const refuse = (_: Settlement, error: unknown) => void rest.push({ id, leaseToken, error });
    ended.push(...await settleInstead(own, error, { settle, refuse, log }));
  }
  return { settled: ended, refused: rest };
}

function call(
  transport: Transport,
  settlements: readonly Settlement[],
  request: ClaimRequest | null,
): Promise<SettleResult & (Claim | Record<never, never>)> {
  return request ? transport.settleAndClaim(settlements, request) : transport.settle(settlements);
}

/**
 * The settlements that were written.
 * @param repeated whether an answer was lost before: then a stale message may have been settled by that call
 * @param refused gets the messages whose effects were refused
 */
function written(
  settlements: readonly Settlement[],
  answer: SettleResult,
  repeated: boolean,
  refused: RefusedEffects[],
  log: Logger,
): readonly Settlement[] {
  const stale = repeated ? [] : answer.stale;
  const ofThisCall = answer.refused ?? [];
  if (stale.length === 0 && ofThisCall.length === 0) return settlements;
  if (stale.length > 0) log.warn("settle_stale", { ids: stale });
  refused.push(...ofThisCall);
  const gone = new Set([...stale, ...ofThisCall.map(({ id }) => id)]);
  return settlements.filter(({ id }) => !gone.has(id));
}
