/**
 * Wrong arguments of a handler's calls, such as `ctx.dispatch`. The handler gives the same ones at its next attempt,
 * so that no attempt can help. A RangeError that the handler's own code throws says nothing of the kind, and therefore
 * these errors are noted where they are thrown.
 */

import { isInstance, readProperty } from "../runtime/inspect.ts";

const noted = new WeakSet<object>();

/** Whether a thrown value is the RangeError of a check, and none of its classes with a meaning of their own. */
export function isRefusal(error: unknown): error is RangeError {
  return isInstance(error, RangeError) && readProperty(error, "name") === "RangeError";
}

/** Notes an error of a handler's call, if it is the refusal of an argument. Returns it. */
export function noteWrongArgument(error: unknown): unknown {
  if (isRefusal(error)) noted.add(error);
  return error;
}

/** Calls a part of a handler's call that checks its arguments. @throws what it throws, noted */
export function checkingArguments<Answer>(call: () => Answer): Answer {
  try {
    return call();
  } catch (error) {
    throw noteWrongArgument(error);
  }
}

/** Whether an error was noted as the refusal of an argument. */
export function isWrongArgument(error: object): boolean {
  return noted.has(error);
}
