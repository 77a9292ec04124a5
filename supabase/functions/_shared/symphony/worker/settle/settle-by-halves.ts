/**
 * Outcomes that the database refuses to write together. Halving the call finds the refused outcome among a
 * hundred in about a dozen calls; writing each outcome in a call of its own would take a hundred.
 */

import { describeError } from "../../message/describe-error.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Outcome, Settlement } from "../../message/outcome.ts";
import { isOfALock, isOfItsContent, isTooMuch } from "../calls.ts";

interface Dependencies {
  /** Writes outcomes together, and returns those that were written. */
  readonly settle: (some: readonly Settlement[]) => Promise<readonly Settlement[]>;
  /** Takes a message whose outcome is refused with its effects: its attempt fails instead. */
  readonly refuse: (settlement: Settlement, error: unknown) => void;
  /** Whether a call that failed is still worth repeating. */
  readonly keepTrying: () => boolean;
  readonly log: Logger;
}

/**
 * Writes every outcome that the database takes.
 * @param settlements outcomes that were refused together
 * @returns the outcomes that were written; a message whose outcome is refused becomes a dead letter instead, or
 * goes to `refuse` if it has effects
 * @throws TransportError if the database stayed out of reach
 */
export async function settleByHalves(
  settlements: readonly Settlement[],
  deps: Dependencies,
): Promise<readonly Settlement[]> {
  const settled: Settlement[] = [];
  const waiting: (readonly Settlement[])[] = halves(settlements);
  for (let some = waiting.pop(); some; some = waiting.pop()) {
    try {
      settled.push(...await deps.settle(some));
    } catch (error) {
      const [only] = some;
      const isLocked = some.length > 1 && isOfALock(error);
      if (!(isOfItsContent(error) || isLocked) || !deps.keepTrying()) throw error;
      if (isLocked) {
        // The locked rows wait until all others are written.
        waiting.unshift(...halves(some).toReversed());
      } else if (some.length > 1) waiting.push(...halves(some));
      else if (only) settled.push(...await settleInstead(only, error, deps));
    }
  }
  return settled;
}

/** Two halves, the first half last because the caller pops. A single item stays a single item. */
function halves<Item>(items: readonly Item[]): (readonly Item[])[] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(middle), items.slice(0, middle)].filter(({ length }) => length > 0);
}

/** Writes the smallest form of a refused outcome. If that is refused too, the message's lease runs out. */
async function settleInstead(
  settlement: Settlement,
  refusal: unknown,
  { settle, refuse, log }: Dependencies,
): Promise<readonly Settlement[]> {
  if (settlement.effects) {
    refuse(settlement, refusal);
    return [];
  }
  const { id } = settlement;
  const outcome = isTooMuch(refusal) ? null : instead(settlement.outcome, refusal);
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

/** The outcome to be written in the place of a refused one; null if there is no smaller one. */
function instead(outcome: Settlement["outcome"], refusal: unknown): Outcome | null {
  switch (outcome.kind) {
    case "handled":
      return outcome.keepMs === undefined && !outcome.progressed && !outcome.durable
        ? null
        : { kind: "handled" };
    case "released":
      return null;
    default: {
      const errors = outcome.kind === "snoozed" || outcome.kind === "parked" ? [] : outcome.errors;
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
