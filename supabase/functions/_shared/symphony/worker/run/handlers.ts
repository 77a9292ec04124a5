/** The handlers of one message, called one after the other. */

import {
  type HandlerFailure,
  HandlersFailedError,
  HandlerTimeoutError,
} from "../../message/errors.ts";
import { Snooze } from "../../message/snooze.ts";
import { isInstance } from "../../runtime/inspect.ts";
import { within } from "../../runtime/within.ts";
import type { Ready } from "./attempt.ts";
import { LONGEST_TIMER_MS } from "./task.ts";

/** Parses the payload once more. A schema that never settles must not keep the slot after the stop. */
async function readAgain({ attempt, definition, read }: Ready): Promise<unknown> {
  const parsed = read();
  if (!(parsed instanceof Promise)) return parsed;
  const ms = Math.min(definition.timeoutMs, LONGEST_TIMER_MS);
  const late = () => new HandlerTimeoutError(definition.timeoutMs);
  return await within(parsed, ms, late, attempt.task.signal);
}

/**
 * Calls each handler that has not succeeded yet, also after another has failed or snoozed.
 * @throws what a single handler threw; HandlersFailedError if the message has several handlers
 */
export async function callHandlers(ready: Ready): Promise<void> {
  const { attempt, definition, payload, ctx } = ready;
  const { task, handledBy, snoozes } = attempt;
  const failures: HandlerFailure[] = [];
  let isFirst = true;
  for (const { name, handle } of definition.handlers) {
    if (handledBy.includes(name)) continue;
    // A handler that ignored the stop has ended after it: the other handlers belong to the next attempt.
    if (task.isStopped) throw task.stopReason;
    try {
      const own = isFirst ? payload : await readAgain(ready);
      isFirst = false;
      const answer = await handle(own, ctx);
      if (isInstance(answer, Snooze)) snoozes.push(answer);
      else handledBy.push(name);
    } catch (error) {
      failures.push({ handler: name, error });
    }
  }
  if (failures.length === 0) return;
  const [only] = failures;
  if (definition.handlers.length === 1 && only) throw only.error;
  throw new HandlersFailedError(failures);
}
