/** Handlers that take several messages of a type at once, and what they answer. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { checkNoGenerator } from "../runtime/checks.ts";
import type { Envelope } from "./envelope.ts";
import type { Logger } from "../runtime/log.ts";
import type { Dispatch, HandlerContext } from "./handler.ts";
import { checkNames } from "../runtime/option-names.ts";
import { Snooze } from "./snooze.ts";

/** One message of a batch. */
export interface BatchMessage<Payload> {
  readonly payload: Payload;
  readonly envelope: Envelope;
  /** Which attempt at this message it is; the first is 1. */
  readonly attempt: number;
  /** Aborted with the batch's, and when this message alone is cancelled or its lease lost. */
  readonly signal: AbortSignal;
  /** Reports how far this message is, as `ctx.progress` of a handler does. */
  readonly progress: HandlerContext["progress"];
}

/** What a batch handler gets beside the messages. */
export interface BatchContext {
  /** Aborted at the timeout, at the worker's end, and when none of the messages is wanted any more. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Dispatches a further message. */
  readonly dispatch: Dispatch;
  /** A client with the secret key; it passes row level security by. */
  readonly supabase: SupabaseClient;
}

/**
 * What became of one message of a batch: handled, an error that it failed with, `snooze()` to have it
 * again later; or one of these as `Promise.allSettled` gives it.
 */
export type BatchResult = void | "handled" | Error | Snooze | PromiseSettledResult<unknown>;

/**
 * Nothing: all are handled. An array: a result for each message, in order. A Map: results by the id of
 * the message; those that it leaves out are handled.
 */
export type BatchAnswer = void | readonly BatchResult[] | ReadonlyMap<string, BatchResult>;

/** Does the work of several messages. Throwing fails all of them, each by its own retry count. */
export type BatchHandler<Payload> = (
  messages: readonly BatchMessage<Payload>[],
  ctx: BatchContext,
) => BatchAnswer | Promise<BatchAnswer>;

/** How messages are put together. */
export interface BatchOptions {
  /** At most so many at once, 1 to 1000; 50 where absent. */
  readonly size?: number;
}

/** A checked batch handler. */
export interface Batch {
  readonly size: number;
  // The payloads were parsed by the definition's own schema before they get here.
  // deno-lint-ignore no-explicit-any
  readonly handle: BatchHandler<any>;
}

/**
 * Checks a batch handler and its options.
 * @param type of the message, for the errors
 * @throws RangeError that names the option which is wrong
 */
export function checkBatch(
  type: string,
  handle: unknown,
  options: BatchOptions = {},
): Batch {
  if (typeof handle !== "function") {
    throw new RangeError(`${type}: handleBatch: has to be a function`);
  }
  checkNoGenerator(handle, `${type}: handleBatch`);
  checkNames(options, ["size"], `${type}: batch.`);
  const { size = 50 } = options;
  if (!Number.isInteger(size) || size < 1 || size > 1000) {
    throw new RangeError(`${type}: batch.size: has to be a whole number from 1 to 1000`);
  }
  return { size, handle: handle as Batch["handle"] };
}

/** What became of a message: handled, failed with an error, or snoozed. */
export type Verdict = { readonly error: unknown } | Snooze | null;

/**
 * Reads a batch handler's answer.
 * @param ids of the messages, in order
 * @returns a verdict for each; null where it is handled
 * @throws TypeError if the answer does not fit the messages
 */
export function readAnswer(answer: unknown, ids: readonly string[]): Verdict[] {
  if (answer === undefined || answer === null) return ids.map(() => null);
  if (Array.isArray(answer)) {
    if (answer.length !== ids.length) {
      throw new TypeError(`handleBatch: gave ${answer.length} results for ${ids.length} messages`);
    }
    return answer.map((result, index) => readResult(result, `result ${index + 1}`));
  }
  if (answer instanceof Map) {
    const stranger = [...answer.keys()].find((id) => !ids.includes(id));
    if (stranger !== undefined) {
      throw new TypeError(`handleBatch: gave a result for ${stranger}, which is not in the batch`);
    }
    return ids.map((id) => readResult(answer.get(id), `the result of ${id}`));
  }
  throw new TypeError("handleBatch: has to return nothing, an array or a Map of results");
}

function readResult(result: unknown, name: string): Verdict {
  if (result === undefined || result === "handled") return null;
  if (result instanceof Error) return { error: result };
  if (result instanceof Snooze) return result;
  const { status, value, reason } = Object(result);
  if (status === "rejected") return { error: reason };
  if (status === "fulfilled") return value instanceof Snooze ? value : null;
  throw new TypeError(
    `handleBatch: ${name} has to be undefined, 'handled', an Error, snooze() or a settled promise's`,
  );
}
