/** Queues: list with their depth, create, change the settings, delete. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ask, type CappedCount } from "./ask.ts";
import { toArguments } from "./listed-rows.ts";

/** Settings of a queue. A setting that may be null has no limit then. */
export interface QueueSettings {
  /** It accepts messages, but none is claimed. */
  paused: boolean;
  /** Largest number of ticks that work on its backlog at once. */
  maxWorkers: number;
  /** Largest number of its messages that run at once. */
  concurrency: number | null;
  /** Largest number of messages of one group that run at once. */
  groupConcurrency: number;
  /** Largest number of messages that start within ratePeriodMs. */
  rateLimit: number | null;
  ratePeriodMs: number;
  /** Its share of each claim. */
  weight: number;
  /** Length of its leases, in ms; null: the worker's choice. */
  leaseMs: number | null;
  /** `tick`: ticks, and workers that name the queue; `worker`: workers only. */
  runsOn: "tick" | "worker";
  /** Largest number of messages of one lane that run at once. */
  laneConcurrency: number | null;
  /** Largest number of messages of one lane that start within laneRatePeriodMs. */
  laneRateLimit: number | null;
  laneRatePeriodMs: number;
}

/** Settings to change; those that are left out stay. */
export type QueueChanges = {
  readonly [Name in keyof QueueSettings]?: QueueSettings[Name] | undefined;
};

/** A queue with its depth. Moments are ISO 8601. */
export interface ListedQueue extends QueueSettings {
  name: string;
  createdAt: string;
  due: CappedCount;
  delayed: CappedCount;
  /** Waiting for an earlier message of their group. */
  blocked: CappedCount;
  quarantined: CappedCount;
  processing: CappedCount;
  /** When the oldest due message became due. */
  oldestReadyAt: string | null;
}

/**
 * Lists queues by name.
 * @param page.afterName `next` of the page before
 * @param page.maxQueues length of a page
 * @returns the page, and where the next one begins; null on the last one
 * @throws the errors of `callRpc`
 */
export function listQueues(
  client: SupabaseClient,
  page: { readonly afterName?: string | undefined; readonly maxQueues: number },
): Promise<{ queues: ListedQueue[]; next: string | null }> {
  return ask(client, "messenger_list_queues", page);
}

/**
 * Lists the lanes of a queue that hold messages, or for which something is set, by name.
 * @param page as in {@link listQueues}
 * @throws NotFoundError if there is no such queue, and the other errors of `callRpc`
 */
export function listLanes(
  client: SupabaseClient,
  page: {
    readonly queue: string;
    readonly afterName?: string | undefined;
    readonly maxLanes: number;
  },
): Promise<{ queues: ListedQueue[]; next: string | null }> {
  return ask(client, "messenger_list_lanes", page);
}

/** Returns a queue; undefined if there is none of this name. @throws the errors of `callRpc` */
export async function showQueue(
  client: SupabaseClient,
  name: string,
): Promise<ListedQueue | undefined> {
  const { queues } = await ask<{ queues: ListedQueue[] }>(client, "messenger_list_queues", {
    name,
  });
  return queues[0];
}

/**
 * Makes a queue before its first message.
 * @throws ConflictError if there is one of this name, and the other errors of `callRpc`
 */
export async function createQueue(
  client: SupabaseClient,
  name: string,
  settings: QueueChanges,
): Promise<void> {
  await ask(client, "messenger_create_queue", { name, settings: toArguments(settings) });
}

/**
 * Changes the given settings of a queue.
 * @throws NotFoundError if there is none of this name, and the other errors of `callRpc`
 */
export async function setQueue(
  client: SupabaseClient,
  name: string,
  changes: QueueChanges,
): Promise<void> {
  await ask(client, "messenger_set_queue", { name, settings: toArguments(changes) });
}

/**
 * Deletes a queue that holds no messages, with its settings.
 * @throws NotFoundError if there is none of this name, ConflictError if it holds messages, and the other
 * errors of `callRpc`
 */
export async function deleteQueue(client: SupabaseClient, name: string): Promise<void> {
  await ask(client, "messenger_delete_queue", { name });
}
