/**
 * Outcomes that the database refuses to write together. Halving the call finds the refused outcome among a
 * hundred in about a dozen calls; writing each outcome in a call of its own would take a hundred.
 */

import { describeError } from "../../message/describe-error.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AttemptError } from "../../message/envelope.ts";
import type { Outcome, Retry, Settlement } from "../../message/outcome.ts";
import {
  FIRST_PAUSE_MS,
  isOfALock,
  isOfARow,
  isOfItsContent,
  isTooMuch,
  LONGEST_PAUSE_MS,
  pause,
} from "../calls.ts";

/** With as many rows refused for now, and no part written, the fault is not of one row: all outcomes wait together. */
const ROWS_OF_A_FAULT = 4;
/** How long all outcomes of a call wait together, in ms, before each is written apart or ends. */
const WAIT_TOGETHER_MS = 10_000;

interface Dependencies {
  /** Writes outcomes together, and returns those that were written. */
  readonly settle: (some: readonly Settlement[]) => Promise<readonly Settlement[]>;
  /** Takes a message whose outcome is refused with its effects, and so is each other: its attempt fails instead. */
  readonly refuse: (settlement: Settlement, error: unknown) => void;
  /** Takes an outcome that a trigger refuses for now, to try it again later; false if it is to end now. */
  readonly later: (settlement: Settlement) => boolean;
  /** Whether a call that failed is still worth repeating. */
  readonly keepTrying: () => boolean;
  readonly log: Logger;
}

/**
 * Writes every outcome that the database takes.
 * @param settlements outcomes that were refused together
 * @returns the outcomes that were written; a message whose outcome is refused becomes a dead letter instead, or
 * goes to `refuse` if it has effects, or to `later` if a trigger refuses it for now
 * @throws TransportError if the database stayed out of reach
 */
export async function settleByHalves(
  settlements: readonly Settlement[],
  deps: Dependencies,
): Promise<readonly Settlement[]> {
  const settled: Settlement[] = [];
  const refusedForNow = new Map<Settlement, unknown>();
  const waitsTogether = waitTogether();
  let hasWritten = false;
  let waiting: (readonly Settlement[])[] = halves(settlements);
  for (let some = waiting.pop(); some; some = waiting.pop()) {
    try {
      settled.push(...await deps.settle(some));
      hasWritten = true;
    } catch (error) {
      const [only] = some;
      const isLocked = some.length > 1 && isOfALock(error);
      const isForNow = isOfARow(error);
      if (!(isOfItsContent(error) || isLocked || isForNow) || !deps.keepTrying()) throw error;
      if (isLocked) {
        // The locked rows wait until all others are written.
        waiting.unshift(...halves(some).toReversed());
      } else if (some.length > 1) waiting.push(...halves(some));
      else if (only && isForNow) refusedForNow.set(only, error);
      else if (only) settled.push(...await settleInstead(only, error, deps));
    }
    const isOfAll = !hasWritten && refusedForNow.size >= ROWS_OF_A_FAULT && waiting.length > 0;
    if (isOfAll && await waitsTogether()) {
      waiting = [[...refusedForNow.keys(), ...waiting.flat()]];
      refusedForNow.clear();
    }
  }
  for (const [only, error] of refusedForNow) {
    if (!deps.later(only)) settled.push(...await settleInstead(only, error, deps));
  }
  return settled;
}

/** Makes a function that pauses, each time for longer, and returns false once that has lasted too long. */
function waitTogether(): () => Promise<boolean> {
  const until = performance.now() + WAIT_TOGETHER_MS;
  let pauseMs = FIRST_PAUSE_MS;
  return async () => {
    if (performance.now() >= until) return false;
    await pause(pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    return true;
  };
}

/** Two halves, the first half last because the caller pops. A single item stays a single item. */
function halves<Item>(items: readonly Item[]): (readonly Item[])[] {
  const middle = Math.ceil(items.length / 2);
  return [items.slice(middle), items.slice(0, middle)].filter(({ length }) => length > 0);
}

/**
 * Writes another outcome in the place of a refused one, with the same effects. If each is refused too, a message with
 * effects goes to `refuse`, and the lease of any other runs out.
 * @throws TransportError if the database stayed out of reach
 */
export async function settleInstead(
  settlement: Settlement,
  refusal: unknown,
  { settle, refuse, log }: Pick<Dependencies, "settle" | "refuse" | "log">,
): Promise<readonly Settlement[]> {
  const { id, effects } = settlement;
  const outcomes = outcomesInstead(settlement, refusal);
  if (outcomes.length === 0 && !effects) {
    log.error("settle_refused", { id, error: String(refusal), instead: "none" });
    return [];
  }
  let error = refusal;
  for (const other of outcomes) {
    log.error("settle_refused", { id, error: String(error), instead: other.kind });
    try {
      return await settle([{ ...settlement, outcome: other }]);
    } catch (next) {
      if (!isOfItsContent(next) && !isOfARow(next)) throw next;
      error = next;
    }
  }
  if (effects) refuse(settlement, error);
  else log.error("settle_given_up", { id, error: String(error) });
  return [];
}

function outcomesInstead({ outcome, effects }: Settlement, refusal: unknown): readonly Outcome[] {
  if (isTooMuch(refusal) || isOfARow(refusal)) return insteadForNow(outcome, refusal);
  return effects && !hasEnded(outcome) ? [] : instead(outcome, refusal);
}

/** Whether no handler of a message runs again: it ends once, and so do its effects, though its row cannot be deleted. */
function hasEnded({ kind }: Settlement["outcome"]): boolean {
  return kind === "handled" || kind === "dead";
}

/** The outcomes to be written in the place of a refused one: each is tried if the one before is refused too. */
function instead(outcome: Settlement["outcome"], refusal: unknown): Outcome[] {
  switch (outcome.kind) {
    case "handled": {
      const isPlain = outcome.keepMs === undefined && !outcome.progressed && !outcome.durable;
      const kept = keptRow(refusal);
      return isPlain ? [kept] : [{ kind: "handled" }, kept];
    }
    case "released":
      return [];
    default: {
      const errors = outcome.kind === "snoozed" || outcome.kind === "parked" ? [] : outcome.errors;
      const reason = outcome.kind === "dead" ? outcome.reason : "unrecoverable";
      const dead = [errorOf(refusal, "the outcome could not be written", errors[0])];
      return [{ kind: "dead", reason, errors: dead }, undeleted(reason, dead)];
    }
  }
}

/**
 * The outcomes in the place of one that is refused for now. A message that has ended does not run again: its row waits for
 * the fault to pass. One that waits for another run gets it when its lease ends.
 */
function insteadForNow(outcome: Settlement["outcome"], refusal: unknown): Outcome[] {
  if (outcome.kind === "handled") return [keptRow(refusal)];
  if (outcome.kind !== "dead") return [];
  return [
    undeleted(outcome.reason, [
      errorOf(refusal, "the outcome could not be written", outcome.errors[0]),
    ]),
  ];
}

/** A message was handled whose row cannot be deleted. */
function keptRow(refusal: unknown): Retry {
  return undeleted("handled", [errorOf(refusal, "the message was handled, and its row stays")]);
}

/** Pause before it is tried again to delete the row of a message that has ended. */
const UNDELETED_MS = 600_000;

function undeleted(ended: NonNullable<Retry["ended"]>, errors: readonly AttemptError[]): Retry {
  return { kind: "retry", delayMs: UNDELETED_MS, retryCount: 0, ended, errors };
}

function errorOf(refusal: unknown, what: string, first?: AttemptError): AttemptError {
  const { message, ...described } = describeError(refusal);
  return {
    ...described,
    message: `${what}: ${message}`,
    attempt: first?.attempt ?? 0,
    at: first?.at ?? new Date().toISOString(),
    durationMs: first?.durationMs ?? 0,
  };
}
