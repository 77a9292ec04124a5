/** Handlers that take several messages of a type at once, and the results that they return. */

import type { SupabaseClient } from "@supabase/supabase-js";
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
  /** Aborted with the batch's signal, and when this message is cancelled or its lease is lost. */
  readonly signal: AbortSignal;
  /** Dispatches a message with this message's outcome, like `ctx.dispatch` of a handler. */
  readonly dispatch: Dispatch;
  /** Reports this message's progress, like `ctx.progress` of a handler. */
  readonly progress: HandlerContext["progress"];
}

/** A batch handler's context. */
export interface BatchContext {
  /** Aborted at the timeout, at the worker's end, and when every message of the batch is cancelled or lost. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /**
   * Dispatches another message, which is written with the outcome of the first message of the batch that is
   * handled or snoozed. If all of them fail, it is dropped. Returns the id that is reserved for it.
   */
  readonly dispatch: Dispatch;
  /** Dispatches another message at once, whatever becomes of the batch. */
  readonly dispatchNow: Dispatch;
  /** A client with the secret key; row level security does not apply to it. */
  readonly supabase: SupabaseClient;
}

/**
 * The result of one message of a batch: handled, the error that it failed with, or `snooze()`. A result
 * of `Promise.allSettled` is accepted too.
 */
export type BatchResult = void | "handled" | Error | Snooze | PromiseSettledResult<unknown>;

/**
 * A batch handler's return value. Nothing: all messages are handled. An array: one result for each
 * message, in order. A Map: results by message id; messages that are not in it are handled.
 */
export type BatchAnswer = void | readonly BatchResult[] | ReadonlyMap<string, BatchResult>;

/** Does the work of several messages. If it throws, all of them fail, each with its own retry count. */
export type BatchHandler<Payload> = (
  messages: readonly BatchMessage<Payload>[],
  ctx: BatchContext,
) => BatchAnswer | Promise<BatchAnswer>;

/** Options of a batch. */
export interface BatchOptions {
  /** Largest number of messages in one call, 1 to 1000; default: 50. */
  readonly size?: number;
}

/** A checked batch handler. */
export interface Batch {
  readonly size: number;
  // The definition's schema parses the payloads before they reach the handler.
  // deno-lint-ignore no-explicit-any
  readonly handle: BatchHandler<any>;
}

/**
 * Checks a batch handler and its options.
 * @param type the message's type, for the error
 * @throws RangeError that names the wrong option
 */
export function checkBatch(
  type: string,
  handle: unknown,
  options: BatchOptions = {},
): Batch {
  if (typeof handle !== "function") {
    throw new RangeError(`${type}: handleBatch: has to be a function`);
  }
  checkNames(options, ["size"], `${type}: batch.`);
  const { size = 50 } = options;
  if (!Number.isInteger(size) || size < 1 || size > 1000) {
    throw new RangeError(`${type}: batch.size: has to be a whole number from 1 to 1000`);
  }
  return { size, handle: handle as Batch["handle"] };
}

/** The result of a message: null if it was handled, an error, or a snooze. */
export type Verdict = { readonly error: unknown } | Snooze | null;

/**
 * Reads a batch handler's return value.
 * @param ids of the messages, in order
 * @returns a verdict for each; null if the message was handled
 * @throws TypeError if the value does not fit the messages
 */
export function readAnswer(answer: unknown, ids: readonly string[]): Verdict[] {
  if (answer === undefined || answer === null) return ids.map(() => null);
  if (Array.isArray(answer)) {
    answer.forEach(keepRejection);
    if (answer.length !== ids.length) {
      throw new TypeError(`handleBatch: gave ${answer.length} results for ${ids.length} messages`);
    }
    return answer.map((result, index) => readResult(result, `result ${index + 1}`));
  }
  if (answer instanceof Map) {
    answer.forEach(keepRejection);
    const stranger = [...answer.keys()].find((id) => !ids.includes(id));
    if (stranger !== undefined) {
      throw new TypeError(`handleBatch: gave a result for ${stranger}, which is not in the batch`);
    }
    return ids.map((id) => readResult(answer.get(id), `the result of ${id}`));
  }
  throw new TypeError("handleBatch: has to return nothing, an array or a Map of results");
}

/** A promise in place of a result is refused; its rejection would end the process. */
function keepRejection(result: unknown): void {
  if (result instanceof Promise) result.catch(() => {});
}

function readResult(result: unknown, name: string): Verdict {
  if (result instanceof Promise) {
    throw new TypeError(
      `handleBatch: ${name} is a promise; wait for it: return await Promise.allSettled(...)`,
    );
  }
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
