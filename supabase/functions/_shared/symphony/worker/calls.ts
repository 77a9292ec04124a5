/** Calls to the database: which failures to repeat as they are, and which to split into smaller calls. */

import type { Logger } from "../runtime/log.ts";
import { readProperty } from "../runtime/inspect.ts";
import { isOutboxFull, type Transport, TransportError } from "../transport/transport.ts";

/** The needs of a call to the database. */
export interface CallDependencies {
  readonly transport: Transport;
  /** Whether a call that failed is still worth repeating. */
  readonly keepTrying: () => boolean;
  /** Whether others wait for this call to end: outcomes that no other call can write, or the end of the run. */
  readonly isAwaited?: () => boolean;
  readonly log: Logger;
}

/** Pause before a failed call is repeated for the first time. */
export const FIRST_PAUSE_MS = 100;
/** Longest pause before a failed call is repeated. */
export const LONGEST_PAUSE_MS = 2_000;

/** Resolves after `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether a call failed because it took too much time or memory. */
export function isTooMuch(error: unknown): boolean {
  return error instanceof TransportError && error.fault === "too_much";
}

/** Whether a call failed because of what it holds, so that a part of it may pass. */
export function isOfItsContent(error: unknown): boolean {
  // Any error but a TransportError is a refused argument, or a value that is no JSON.
  return !(error instanceof TransportError) || error.fault === "data" || isTooMuch(error) ||
    isConflictOfATrigger(error);
}

/**
 * Whether a trigger of the project's own has raised a conflict of transactions. SQL hands it on as PT503, with its code
 * in the details, and it comes again with the row that the trigger does not like.
 */
function isConflictOfATrigger({ cause }: TransportError): boolean {
  return readProperty(cause, "code") === "PT503" &&
    /^40/.test(String(readProperty(cause, "details")));
}

/** SQLSTATEs of passing faults but conflicts; messenger.is_passing() has the same list. */
const PASSING_OF_A_ROW = /^((08|53|57|58)[0-9A-Z]{3}|PT50[234]|55P03|25006)$/;

/**
 * Whether a trigger of the project's own has raised a passing fault, which may be of one row: the call passes without it.
 * SQL hands it on as PT503, with its code in the details.
 */
export function isOfARow(error: unknown): boolean {
  if (!(error instanceof TransportError)) return false;
  return readProperty(error.cause, "code") === "PT503" &&
    PASSING_OF_A_ROW.test(String(readProperty(error.cause, "details")));
}

const LOCK_NOT_AVAILABLE = "55P03";

/** Whether a row of a call stayed locked by another session, so that the call passes without that row. */
export function isOfALock(error: unknown): boolean {
  return error instanceof TransportError &&
    readProperty(error.cause, "code") === LOCK_NOT_AVAILABLE;
}

const KEY_HELD = "PT423";
const KEY_HELD_MS = 1_000;
const OUTBOX_FULL_MS = 30_000;

/**
 * For how long a message waits, in ms, whose dispatches were refused for now: the outbox is full, or another transaction
 * holds a key or a group. Undefined for any other error.
 */
export function refusedForMs(error: unknown): number | undefined {
  if (isOutboxFull(error)) return OUTBOX_FULL_MS;
  const code = readProperty(readProperty(error, "cause"), "code");
  return code === KEY_HELD ? KEY_HELD_MS : undefined;
}

/**
 * Repeats a call, with pauses, until the database has answered it.
 * @param call is told whether it is a repetition: the answer to the call before may be lost
 * @param splits whether the caller makes smaller calls of one that met a lock
 * @throws what the call threw, if its content is at fault, a trigger has refused a row for now, it met a lock and
 * `splits`, or it is no longer worth repeating
 */
export async function repeating<Answer>(
  call: (repeated: boolean) => Promise<Answer>,
  { keepTrying, log }: Pick<CallDependencies, "keepTrying" | "log">,
  splits = false,
): Promise<{ readonly answer: Answer; readonly repeated: boolean }> {
  let pauseMs = FIRST_PAUSE_MS;
  for (let repeated = false;; repeated = true) {
    try {
      return { answer: await call(repeated), repeated };
    } catch (error) {
      const isLocked = splits && isOfALock(error);
      if (isOfItsContent(error) || isOfARow(error) || isLocked || !keepTrying()) throw error;
      log.warn("call_repeated", { error: String(error), pauseMs });
    }
    await pause(pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
