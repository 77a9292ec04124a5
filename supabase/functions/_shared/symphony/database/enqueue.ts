/** Writes messages: the entries that `messenger_enqueue` takes, and its calls. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { OutgoingMessage } from "../message/envelope.ts";
import { ConflictError } from "../message/errors.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { readProperty } from "../runtime/inspect.ts";
import type { HeldFor } from "../message/dedupe.ts";
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
  const rows = messages.map(messageRow);
  try {
    if (limits.length > 0) {
      const args = { messages: rows, limits: limits.map(fromLimit) };
      return (await callRpc<Enqueued>(client, "messenger_enqueue_limited", args, timeoutMs)).ids;
    }
    const json = JSON.stringify(rows);
    const [{ ids }] = await callRpc<[Enqueued]>(client, "messenger_enqueue_body", json, timeoutMs);
    return ids;
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

/** Reads a conflict of messenger_enqueue; its detail is the position of the message. */
export function keyConflict(error: ConflictError): ConflictError {
  const message = error.message.replace(/^idempotency_key/, "idempotencyKey");
  return new ConflictError(message, { cause: error }, Number(readProperty(error.cause, "details")));
}

/** An entry of messenger.count_dispatches. */
export function fromLimit({ perMs, ...limit }: LimitedDispatch) {
  return { ...limit, per_ms: perMs };
}

/**
 * Makes an entry of messenger_enqueue. Values that equal a column's default are left out, which halves the
 * JSON that Postgres has to read.
 */
export function messageRow(message: OutgoingMessage) {
  return {
    type: message.type,
    payload: message.payload,
    queue: message.queue === "default" ? undefined : message.queue,
    priority: message.priority || undefined,
    delay_ms: message.delayMs,
    available_at: message.availableAt,
    ttl_ms: message.ttlMs,
    idempotency_key: message.idempotencyKey,
    idempotency_scope: message.idempotencyScope,
    group_key: message.groupKey,
    transport: message.transport,
    dedupe_key: message.dedupeKey,
    ...dedupeFields(message.dedupe),
    stamps: message.stamps,
  };
}

function dedupeFields(dedupe: HeldFor | undefined) {
  if (typeof dedupe !== "object") return { dedupe };
  if ("windowMs" in dedupe) return { dedupe_window_ms: dedupe.windowMs };
  return { dedupe_debounce_ms: dedupe.debounceMs, dedupe_max_wait_ms: dedupe.maxWaitMs };
}
