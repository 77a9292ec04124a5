/** Messages that wait or run: list, show, cancel, run now. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { StepKind } from "../message/step-kind.ts";
import type { StepFailure } from "../message/stored-step.ts";
import { ask } from "./ask.ts";
import { type OriginFilter, toFilterArguments } from "./listed-rows.ts";
import { type StepsLimits, type StepsResult, takeSteps } from "./steps.ts";

/** A message in a list. Moments are ISO 8601. */
export interface WaitingMessage {
  id: string;
  type: string;
  queue: string;
  priority: number;
  status: "pending" | "processing";
  availableAt: string;
  expiresAt: string | null;
  retryCount: number;
  attempts: number;
  snoozes: number;
  interruptions: number;
  createdAt: string;
  groupKey: string | null;
  /** It waits for an earlier message of its group. */
  blocked: boolean;
  dedupeKey: string | null;
  quarantined: boolean;
  leasedUntil: string | null;
  cancelled: boolean;
  /** Text of the last error. */
  error: string | null;
}

/** A message in a list of them. */
export interface ListedMessage extends WaitingMessage {
  /** Id of the user who dispatched it. */
  user: string | null;
}

/** Fields of a message or a dead letter that lists leave out. */
export interface StoredContent {
  payload: unknown;
  stamps: unknown;
  /** Failed attempts, oldest first. */
  errors: unknown[];
  /** Durable steps, sleeps and waits, in the order in which they were stored. */
  steps: ShownStep[];
  relations: Relations;
}

/** A message that another one names. Type and status are null once it is gone. */
export interface RelatedMessage {
  id: string;
  type: string | null;
  status: "pending" | "processing" | "retrying" | "failed" | "cancelled" | "handled" | null;
}

/** The schedule, batch and messages that a message belongs to. */
export interface Relations {
  /** The schedule that made it. */
  schedule: { id: string; name: string | null; occurrence: string | null; exists: boolean } | null;
  /** The batch that it is a member of. The name is null once the batch is gone. */
  batch: { id: string; name: string | null } | null;
  /** The batch that dispatched it at its end. */
  endOfBatch: { id: string; name: string | null; event: string | null } | null;
  /** The message that waits for its result. */
  parent: RelatedMessage | null;
  /** The first 100 messages whose results it waits for. */
  children: { messages: RelatedMessage[]; more: boolean };
}

/** A durable step as operators see it. Moments are ISO 8601. */
export interface ShownStep {
  handler: string;
  name: string;
  key: string;
  nth: number;
  kind: StepKind;
  status: "done" | "failed" | "pending";
  /** When a sleep or wait ends. */
  until: string | null;
  createdAt: string;
  error: StepFailure | null;
  /** Keys of the events that it waits for. */
  waitsFor: string[] | null;
  resultBytes: number;
  /** Missing if it is large, or if the step returned nothing. */
  result?: unknown;
}

/** Which messages to list. A field that is left out matches all. */
export interface MessageListFilter extends OriginFilter {
  readonly status?: "pending" | "processing" | undefined;
  readonly type?: string | undefined;
  readonly queue?: string | undefined;
  /** `next` of the page before. */
  readonly beforeId?: string | undefined;
  /** Length of a page. */
  readonly maxMessages?: number | undefined;
}

/** Which messages to change: those that match every given field, or `all`. */
export interface MessageSelection extends OriginFilter {
  readonly all?: boolean | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly type?: string | undefined;
  readonly queue?: string | undefined;
  readonly maxMessages?: number | undefined;
  /** Only counts them, and changes nothing. */
  readonly dryRun?: boolean | undefined;
  /** `next` of an earlier, unfinished change with the same selection. */
  readonly after?: unknown;
}

/**
 * Lists messages, the latest first, without payloads. A page may be short.
 * @returns the page, and where the next one begins; null on the last one
 * @throws the errors of `callRpc`
 */
export function listMessages(
  client: SupabaseClient,
  filter: MessageListFilter,
): Promise<{ messages: ListedMessage[]; next: string | null }> {
  return ask(client, "messenger_list_messages", toFilterArguments(filter));
}

/** Returns a message in full; null if none of this id waits or runs. @throws the errors of `callRpc` */
export function showMessage(
  client: SupabaseClient,
  id: string,
): Promise<(WaitingMessage & StoredContent) | null> {
  return ask(client, "messenger_show_message", { id });
}

/**
 * Cancels messages. Waiting ones become dead letters, running ones are stopped at their next heartbeat.
 * @throws the errors of `callRpc`, if the first step failed
 */
export function cancelMessages(
  client: SupabaseClient,
  selection: MessageSelection,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  return takeSteps(client, "messenger_cancel", toFilterArguments(selection), limits);
}

/**
 * Makes messages due that are delayed or wait for a retry.
 * @throws the errors of `callRpc`, if the first step failed
 */
export function runMessages(
  client: SupabaseClient,
  selection: MessageSelection,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  return takeSteps(client, "messenger_run", toFilterArguments(selection), limits);
}
