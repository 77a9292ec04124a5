/** The handlers of one message, called one after the other. */

import {
  AttemptOverError,
  type HandlerFailure,
  HandlersFailedError,
  HandlerTimeoutError,
  UnrecoverableError,
} from "../../message/errors.ts";
import { Snooze } from "../../message/snooze.ts";
import { isGeneratorObject, isInstance, readProperty } from "../../runtime/inspect.ts";
import { within } from "../../runtime/within.ts";
import type { Attempt, Ready } from "./attempt.ts";
import { keepsResult, resultOf } from "./handler-result.ts";
import { LONGEST_TIMER_MS } from "./task.ts";

const GENERATOR_RETURNED =
  "handler: returned a generator, of which nothing has run; loop over it, and return when it has ended";

/** Parses the payload once more. A schema that never settles must not keep the slot after the stop. */
async function readAgain({ attempt, definition, read }: Ready): Promise<unknown> {
  const parsed = read();
  if (!(parsed instanceof Promise)) return parsed;
  const ms = Math.min(definition.timeoutMs, LONGEST_TIMER_MS);
  const late = () => new HandlerTimeoutError(definition.timeoutMs);
  return await within(parsed, ms, late, attempt.task.signal);
}

/**
 * Calls each handler that has not succeeded yet, also after another has failed or snoozed. If a durable call ends
 * the run, the handlers behind its own come in a later run.
 * @throws what a single handler threw; HandlersFailedError if the message has several handlers; the error of a
 * step that ended the run to be retried
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
      attempt.handler = name;
      attempt.durable?.nextHandler();
      const returned = handle(own, ctx);
      const value = isThenable(returned) ? await orRunEnd(attempt, returned) : returned;
      const ending = handlerEnded(attempt, true);
      if (ending) await ending;
      if (value === RUN_ENDED) {
        task.leave(new AttemptOverError("signal"));
        break;
      }
      if (isInstance(value, Snooze)) snoozes.push(value);
      else {
        if (isGeneratorObject(value)) throw new UnrecoverableError(GENERATOR_RETURNED);
        if (keepsResult(ready)) attempt.result = await resultOf(definition, value);
        handledBy.push(name);
      }
    } catch (error) {
      const ending = handlerEnded(attempt, false);
      if (ending) await ending;
      failures.push({ handler: name, error });
    }
  }
  const runEnd = attempt.durable?.ending;
  if (runEnd?.isOver) {
    if (task.isStopped) throw task.stopReason;
    if (runEnd.failed) throw runEnd.failed.error;
    return;
  }
  if (failures.length === 0) return;
  const [only] = failures;
  if (definition.handlers.length === 1 && only) throw only.error;
  throw new HandlersFailedError(failures);
}

/** Stands in place of what a handler returns if a durable call has ended the run before. */
const RUN_ENDED = Symbol("run ended");

function isThenable(value: unknown): value is PromiseLike<unknown> {
  const isObject = typeof value === "object" && value !== null || typeof value === "function";
  return isObject && typeof readProperty(value, "then") === "function";
}

/** Further durable calls are none of the handler's. Those that it has begun have ended afterwards. */
function handlerEnded(attempt: Attempt, hasSucceeded: boolean): Promise<void> | undefined {
  attempt.handler = undefined;
  return attempt.durable?.ending.close(hasSucceeded);
}

/** Waits for what a handler returns. Resolves to {@link RUN_ENDED} if a durable call ends the run before. */
function orRunEnd(attempt: Attempt, returned: PromiseLike<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    attempt.onDurableEnd = () => resolve(RUN_ENDED);
    Promise.resolve(returned).then(resolve, reject);
  });
}
