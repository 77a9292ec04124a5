/** Writes messages: the calls of `messenger_enqueue_body` and, with rate limits, `messenger_enqueue_limited`. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { OutgoingMessage } from "../message/envelope.ts";
import { ConflictError } from "../message/errors.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { readProperty } from "../runtime/inspect.ts";
import { enqueueBody, messageRow, type WrittenIds, writtenIds } from "./enqueue-body.ts";
import { callRpc } from "./rpc.ts";

interface Enqueued {
  ids: string[];
}

/**
 * Writes messages, all or none.
 * @param limits rate limits that count them; a refusal writes nothing
 * @param timeoutMs longest time of the call
 * @returns their ids, in order
 * @throws ConflictError with the message's position, if an idempotency key belongs to another content
 * @throws the errors of `callRpc`
 */
export async function enqueueMessages(
  client: SupabaseClient,
  messages: readonly OutgoingMessage[],
  limits: readonly LimitedDispatch[],
  timeoutMs: number,
): Promise<string[]> {
  try {
    if (limits.length > 0) {
      const rows = messages.map(messageRow);
      const args = { messages: rows, limits: limits.map(fromLimit) };
      return (await callRpc<Enqueued>(client, "messenger_enqueue_limited", args, timeoutMs)).ids;
    }
    const body = enqueueBody(messages);
    const [{ ids }] = await callRpc<[{ ids: WrittenIds }]>(
      client,
      "messenger_enqueue_body",
      body,
      timeoutMs,
    );
    return writtenIds(ids);
  } catch (error) {
    throw error instanceof ConflictError ? keyConflict(error) : error;
  }
}

/**
 * Reserves ids for messages that are written later.
 * @param number 1 to 1000
 * @param timeoutMs longest time of the call
 * @returns as many ids, ascending
 * @throws the errors of `callRpc`
 */
export async function reserveIds(
  client: SupabaseClient,
  number: number,
  timeoutMs: number,
): Promise<string[]> {
  return (await callRpc<Enqueued>(client, "messenger_reserve_ids", { number }, timeoutMs)).ids;
}

/** Reads a conflict of idempotency keys. Its detail is the position of the message; the key of a batch has none. */
export function keyConflict(error: ConflictError): ConflictError {
  const message = error.message.replace(/^idempotency_key/, "idempotencyKey");
  const details = String(readProperty(error.cause, "details"));
  return new ConflictError(
    message,
    { cause: error },
    /^\d+$/.test(details) ? Number(details) : undefined,
  );
}

/** Makes a rate limit's entry in the argument `limits` of SQL functions. */
export function fromLimit({ perMs, ...limit }: LimitedDispatch) {
  return { ...limit, per_ms: perMs };
}
