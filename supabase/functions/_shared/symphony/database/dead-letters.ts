/** Dead letters: list, show, redrive, remove. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { DeadReason } from "../message/dead-reason.ts";
import { ask } from "./ask.ts";
import { type OriginFilter, toFilterArguments } from "./listed-rows.ts";
import { type StepsLimits, type StepsResult, takeSteps } from "./steps.ts";
import type { StoredContent } from "./waiting-messages.ts";

/** A dead letter in a list. Moments are ISO 8601. */
export interface DeadLetter {
  id: string;
  type: string;
  queue: string;
  priority: number;
  status: "failed";
  reason: DeadReason;
  /** Text of the last error. */
  error: string | null;
  retryCount: number;
  attempts: number;
  /** How often it was redriven before. */
  redriven: number;
  groupKey: string | null;
  createdAt: string;
  failedAt: string;
}

/** A dead letter in a list of them. */
export interface ListedDeadLetter extends DeadLetter {
  /** Id of the user who dispatched it. */
  user: string | null;
}

/** Fields that a dead letter has to match. A field that is left out matches all. */
export interface DeadLetterFilter extends OriginFilter {
  readonly type?: string | undefined;
  readonly queue?: string | undefined;
  readonly reason?: string | undefined;
  readonly failedFrom?: Date | undefined;
  /** Not included. */
  readonly failedUntil?: Date | undefined;
}

/** Which page of dead letters to list. */
export interface DeadLetterListFilter extends DeadLetterFilter {
  /** `next` of the page before: a moment to the microsecond, and an id. */
  readonly beforeAt?: string | undefined;
  readonly beforeId?: string | undefined;
  /** Length of a page. */
  readonly maxMessages?: number | undefined;
}

/** Which dead letters to change: those that match every given field, or `all`. */
export interface DeadLetterSelection extends DeadLetterFilter {
  readonly all?: boolean | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly maxMessages?: number | undefined;
  /** Only counts them, and changes nothing. */
  readonly dryRun?: boolean | undefined;
  /** `next` of an earlier, unfinished change with the same selection. */
  readonly after?: unknown;
}

/** Which dead letters to redrive, and how. */
export interface RedriveSelection extends DeadLetterSelection {
  /** Number of messages that come due each second; default: all at once. */
  readonly perSecond?: number | undefined;
  /** Target queue; default: the queue of the dead letter. */
  readonly toQueue?: string | undefined;
  /** New payload of the one message that `ids` names; undefined keeps the old one. */
  readonly payload?: unknown;
  /** Name of the durable step from which on the steps are made again, or `start`; default: failed ones only. */
  readonly from?: string | undefined;
}

/**
 * Lists dead letters, the latest first, without payloads. A page may be short.
 * @returns the page, and where the next one begins; null on the last one
 * @throws the errors of `callRpc`
 */
export function listDeadLetters(
  client: SupabaseClient,
  filter: DeadLetterListFilter,
): Promise<{ messages: ListedDeadLetter[]; next: unknown }> {
  return ask(client, "messenger_list_failed", toFilterArguments(filter));
}

/** Dead letters of one type that ended for the same reason and with the same error. */
export interface DeadLetterGroup {
  type: string;
  reason: DeadReason;
  /** The first 500 characters of the last error's text. */
  error: string | null;
  count: number;
  firstFailedAt: string;
  lastFailedAt: string;
  /** The id of one of them: the latest dispatched. */
  lastId: string;
}

/**
 * Counts dead letters by type, reason and error, among the 10,000 that failed last.
 * @returns the largest groups, and where to continue; null if all were read
 * @throws the errors of `callRpc`
 */
export function groupDeadLetters(
  client: SupabaseClient,
  { maxMessages: maxGroups, ...filter }: DeadLetterListFilter,
): Promise<{ groups: DeadLetterGroup[]; leftOut: number; scanned: number; next: unknown }> {
  return ask(client, "messenger_group_failed", toFilterArguments({ ...filter, maxGroups }));
}

/** Returns a dead letter in full; null if there is none of this id. @throws the errors of `callRpc` */
export function showDeadLetter(
  client: SupabaseClient,
  id: string,
): Promise<(DeadLetter & StoredContent) | null> {
  return ask(client, "messenger_show_failed", { id });
}

/**
 * Puts dead letters back into their queues, with fresh retries and their history.
 * @throws the errors of `callRpc`, if the first step failed
 */
export function redriveDeadLetters(
  client: SupabaseClient,
  selection: RedriveSelection,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  return takeSteps(client, "messenger_redrive", toFilterArguments(selection), limits);
}

/** Deletes dead letters for good. @throws the errors of `callRpc`, if the first step failed */
export function removeDeadLetters(
  client: SupabaseClient,
  selection: DeadLetterSelection,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  return takeSteps(client, "messenger_remove_failed", toFilterArguments(selection), limits);
}
