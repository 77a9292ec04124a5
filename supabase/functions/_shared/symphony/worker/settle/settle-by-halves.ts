/**
 * Outcomes that the database does not take together: found by halves is which of them it refuses, so that a
 * hundred cost a dozen calls and not a hundred.
 */

import { describeError } from "../../message/describe-error.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Outcome, Settlement } from "../../message/outcome.ts";
import { TransportError } from "../../transport/transport.ts";

interface Dependencies {
  /** Writes them together, and answers what was written. */
  readonly settle: (some: readonly Settlement[]) => Promise<readonly Settlement[]>;
  /** Whether a call that failed is still worth repeating. */
  readonly keepTrying: () => boolean;
  /** Whether a call failed by what it holds, so that a part of it may pass. */
  readonly isOfItsContent: (error: unknown) => boolean;
  readonly log: Logger;
}

/**
 * Settles what it can.
 * @param settlements that were refused together
 * @returns what was written; a message whose outcome cannot be written goes to the dead letters instead
 * @throws TransportError if the database stayed out of reach
 */
export async function settleByHalves(
  settlements: readonly Settlement[],
  deps: Dependencies,
): Promise<readonly Settlement[]> {
  const settled: Settlement[] = [];
  const left: (readonly Settlement[])[] = halves(settlements);
  for (let some = left.pop(); some; some = left.pop()) {
    try {
      settled.push(...await deps.settle(some));
    } catch (error) {
      if (!deps.isOfItsContent(error) || !deps.keepTrying()) throw error;
      const [only] = some;
      if (some.length > 1) left.push(...halves(some));
      else if (only) settled.push(...await settleInstead(only, error, deps));
    }
  }
  return settled;
}

/** The first half last, to be taken first. One that was refused alone is tried alone again. */
function halves<Item>(items: readonly Item[]): (readonly Item[])[] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(middle), items.slice(0, middle)].filter(({ length }) => length > 0);
}

/** A refused outcome's smallest form. Where that is refused too, the message is left to its lease. */
async function settleInstead(
  settlement: Settlement,
  refusal: unknown,
  { settle, isOfItsContent, log }: Dependencies,
): Promise<readonly Settlement[]> {
  const { id } = settlement;
  const isTooMuch = refusal instanceof TransportError && refusal.fault === "too_much";
  const outcome = isTooMuch ? null : instead(settlement.outcome, refusal);
  log.error("settle_refused", { id, error: String(refusal), instead: outcome?.kind ?? "none" });
  if (!outcome) return [];
  try {
    return await settle([{ ...settlement, outcome }]);
  } catch (error) {
    if (!isOfItsContent(error)) throw error;
    log.error("settle_given_up", { id, error: String(error) });
    return [];
  }
}

/** What can be written in an outcome's place; null where there is nothing smaller. */
function instead(outcome: Settlement["outcome"], refusal: unknown): Outcome | null {
  switch (outcome.kind) {
    case "handled":
      return outcome.keepMs === undefined && !outcome.progressed ? null : { kind: "handled" };
    case "released":
      return null;
    default: {
      const errors = outcome.kind === "snoozed" ? [] : outcome.errors;
      const { message, ...described } = describeError(refusal);
      return {
        kind: "dead",
        reason: outcome.kind === "dead" ? outcome.reason : "unrecoverable",
        errors: [{
          ...described,
          message: `the outcome could not be written: ${message}`,
          attempt: errors[0]?.attempt ?? 0,
          at: errors[0]?.at ?? new Date().toISOString(),
          durationMs: errors[0]?.durationMs ?? 0,
        }],
      };
    }
  }
}
