/** Wrong arguments of durable calls: no retry can help, and no failure is stored. */

import { isOfMiddleware } from "../../bus/message-preparer.ts";
import { DurableUsageError } from "../../message/errors.ts";
import { isRefusal } from "../../message/wrong-argument.ts";

/**
 * The error of a durable call as its handler gets it: the refusal of an argument is a DurableUsageError.
 * @param prefix text before the refusal's
 */
export function asUsageError(error: unknown, prefix = ""): unknown {
  if (!isRefusal(error) || isOfMiddleware(error)) return error;
  return new DurableUsageError(`${prefix}${error.message}`, { cause: error });
}

/**
 * Calls what checks a part of the arguments inside a durable call.
 * @throws DurableUsageError if it refuses one
 */
export async function refusing<Answer>(
  check: () => Promise<Answer>,
  prefix?: string,
): Promise<Answer> {
  try {
    return await check();
  } catch (error) {
    throw asUsageError(error, prefix);
  }
}
