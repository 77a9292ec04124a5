/** Batches: their chunks, their counts, their states and their cancel. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type {
  BatchChunk,
  BatchHead,
  BatchResults,
  WrittenBatch,
} from "../message/dispatched-batch.ts";
import type { FollowedBatch, OwnBatches } from "../message/followed-batch.ts";
import { ConflictError } from "../message/errors.ts";
import { isRefusal } from "../message/wrong-argument.ts";
import type { LimitedDispatch } from "../message/rate-limit.ts";
import { fromLimit, keyConflict } from "./enqueue.ts";
import { messageRow } from "./enqueue-body.ts";
import { isId } from "./ids.ts";
import { callRpc } from "./rpc.ts";
import { type StepsLimits, type StepsResult, takeSteps } from "./steps.ts";
import type { RelatedMessage } from "./waiting-messages.ts";

const TIMEOUT_MS = 10_000;

/**
 * Writes one chunk of a batch, unless it is there.
 * @param client made with a secret key
 * @param limits rate limits that count the messages of a chunk that is written
 * @param timeoutMs longest time of the call
 * @throws ConflictError if the key stands for other content, or the batch is cancelled; with the message's position if
 * it is that message's key
 * @throws the errors of `callRpc`
 */
export async function writeBatch(
  client: SupabaseClient,
  { head, messages, chunk, isLast }: BatchChunk,
  limits: readonly LimitedDispatch[],
  timeoutMs: number,
): Promise<WrittenBatch> {
  const args = {
    batch: headRow(head),
    messages: messages.map(messageRow),
    chunk,
    is_last: isLast,
    checked: true,
    ...(limits.length > 0 && { limits: limits.map(fromLimit) }),
  };
  try {
    return await callRpc<WrittenBatch>(client, "messenger_write_batch", args, timeoutMs);
  } catch (error) {
    throw inTheCallersWords(error);
  }
}

/** A refusal names the field as code does. */
function inTheCallersWords(error: unknown): unknown {
  if (error instanceof ConflictError) return keyConflict(error);
  if (!isRefusal(error)) return error;
  const message = error.message.replace(
    /^on_(?:finished|succeeded|failed)\b/,
    (field) => field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
  );
  return new RangeError(message, { cause: error });
}

function headRow(head: BatchHead) {
  const { onFinished, onSucceeded, onFailed } = head;
  return {
    name: head.name,
    idempotency_key: head.idempotencyKey,
    idempotency_scope: head.idempotencyScope,
    user_id: head.userId,
    live: head.live,
    parent_id: head.parentId,
    keeps_results: head.keepsResults,
    call: head.call,
    on_finished: onFinished && messageRow(onFinished),
    on_succeeded: onSucceeded && messageRow(onSucceeded),
    on_failed: onFailed && messageRow(onFailed),
  };
}

/** Adds what has become of members to the counts of their batches. @throws the errors of `callRpc` */
export async function foldBatches(
  client: SupabaseClient,
  ids: readonly string[],
  timeoutMs: number,
): Promise<void> {
  await callRpc(client, "messenger_fold_batches", { ids }, timeoutMs);
}

/**
 * Returns the state of a batch.
 * @param client made with a secret key
 * @param userId null, or the user who must have dispatched the batch
 * @returns null if there is no such batch: unknown, pruned, or another user's
 * @throws the errors of `callRpc`
 */
export function followBatch(
  client: SupabaseClient,
  id: string,
  userId: string | null,
): Promise<FollowedBatch | null> {
  if (!isId(id)) return Promise.resolve(null);
  return callRpc(client, "messenger_follow_batch", { id, user_id: userId }, TIMEOUT_MS);
}

/** Returns what has become of the members of a finished batch of one chunk. @throws the errors of `callRpc` */
export function batchResults(
  client: SupabaseClient,
  id: string,
  timeoutMs: number,
): Promise<BatchResults> {
  return callRpc(client, "messenger_batch_results", { id }, timeoutMs);
}

/** Which page of batches to list. */
export interface BatchListFilter {
  readonly name?: string | undefined;
  /** `next` of the page before. */
  readonly beforeId?: string | undefined;
  /** Length of a page. */
  readonly maxBatches?: number | undefined;
}

/** Lists batches, the latest first. A page may be short. @throws the errors of `callRpc` */
export function listBatches(
  client: SupabaseClient,
  { name, beforeId, maxBatches }: BatchListFilter,
): Promise<{ batches: FollowedBatch[]; next: string | null }> {
  const args = { name, before_id: beforeId, max_batches: maxBatches };
  return callRpc(client, "messenger_list_batches", args, TIMEOUT_MS);
}

/** Lists batches that a user dispatched, the latest first. @throws the errors of `callRpc` */
export function listOwnBatches(
  client: SupabaseClient,
  userId: string,
  { cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number },
): Promise<OwnBatches> {
  const args = { user_id: userId, before_id: cursor, max_batches: limit };
  return callRpc(client, "messenger_list_user_batches", args, TIMEOUT_MS);
}

/** Which page of a batch's members to list. */
export interface MemberListFilter {
  readonly id: string;
  readonly status?: RelatedMessage["status"] | undefined;
  /** `next` of the page before: a chunk, and a place in it. */
  readonly after?: readonly [chunk: number, nth: number] | undefined;
  /** Length of a page. */
  readonly maxMembers: number;
}

/** Lists members of a batch, in their order. A page may be short. @throws the errors of `callRpc` */
export function listMembers(
  client: SupabaseClient,
  { id, status, after, maxMembers }: MemberListFilter,
): Promise<{ members: RelatedMessage[]; next: readonly [number, number] | null }> {
  const [chunk, nth] = after ?? [];
  const args = { id, status, after_chunk: chunk, after_nth: nth, max_members: maxMembers };
  return callRpc(client, "messenger_list_members", args, TIMEOUT_MS);
}

/** Which batch to cancel. */
export interface BatchSelection {
  readonly id: string;
  /** Only counts its members, and cancels none. */
  readonly dryRun?: boolean | undefined;
  /** `next` of an earlier, unfinished cancel. */
  readonly after?: unknown;
}

/**
 * Cancels a batch in steps. Members that wait become dead letters, those that run are stopped.
 * @throws NotFoundError if there is no such batch
 * @throws the errors of `callRpc`, if the first step failed
 */
export function cancelBatch(
  client: SupabaseClient,
  { id, dryRun, after }: BatchSelection,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  return takeSteps(client, "messenger_cancel_batch", { id, dry_run: dryRun, after }, limits);
}
