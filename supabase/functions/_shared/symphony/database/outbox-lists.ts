/** Operators' calls about the transports beside home: how they stand, and what waits in the outbox. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ask, type CappedCount } from "./ask.ts";
import { type StepsLimits, type StepsResult, takeSteps } from "./steps.ts";

/** How a transport beside home stands. */
export interface TransportStatus {
  readonly name: string;
  /** Whether the deployed code declares it. */
  readonly declared: boolean;
  /** Whether this project's workers receive from it; null if it is not declared. */
  readonly received: boolean | null;
  readonly waiting: CappedCount;
  readonly due: CappedCount;
  readonly bytes: number;
  readonly oldestDueAt: string | null;
  /** Messages that it has refused, and that wait for another try. */
  readonly refused: number;
  /** Failures in a row; null if nothing was ever sent. */
  readonly failures: number | null;
  readonly failure: string | null;
  readonly retryAt: string | null;
}

/** A message in the outbox. */
export interface OutboxMessage {
  readonly position: string;
  readonly id: string;
  readonly publication: number;
  readonly transport: string;
  readonly type: string;
  readonly queue: string;
  readonly priority: number;
  readonly groupKey: string | null;
  readonly availableAt: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly sentAt: string | null;
  readonly retryCount: number;
  readonly attempts: number;
  readonly refusals: number;
  readonly refusal: string | null;
  readonly due: boolean;
}

/** Which messages of the outbox are meant. */
export interface OutboxFilter {
  readonly ids?: readonly string[] | undefined;
  readonly transport?: string | undefined;
  readonly type?: string | undefined;
  readonly queue?: string | undefined;
  readonly groupKey?: string | undefined;
  readonly all?: boolean | undefined;
}

/** A change of messages in the outbox, from a place on. */
interface OutboxChange {
  readonly dryRun: boolean;
  readonly after?: unknown;
}

/** Reads how each transport stands. @throws the errors of `callRpc` */
export function readTransports(client: SupabaseClient): Promise<TransportStatus[]> {
  return ask(client, "messenger_transports");
}

/** Lists messages of the outbox in the order of their positions. @throws the errors of `callRpc` */
export function listOutbox(
  client: SupabaseClient,
  args: {
    readonly transport?: string | undefined;
    readonly type?: string | undefined;
    readonly queue?: string | undefined;
    readonly state: "waiting" | "sent";
    readonly after?: string | undefined;
    readonly maxMessages: number;
  },
): Promise<{ readonly messages: OutboxMessage[]; readonly next: string | null }> {
  return ask(client, "messenger_list_outbox", args);
}

/** Makes dead letters of messages that wait. @throws the errors of `takeSteps` */
export function cancelOutbox(
  client: SupabaseClient,
  { groupKey, dryRun, ...rest }: OutboxFilter & OutboxChange,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  const args = { ...rest, group_key: groupKey, dry_run: dryRun };
  return takeSteps(client, "messenger_cancel_outbox", args, limits);
}

/** Publishes now what waits for a transport. @throws the errors of `takeSteps` */
export function runOutbox(
  client: SupabaseClient,
  { dryRun, ...rest }: { readonly transport: string } & OutboxChange,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  return takeSteps(client, "messenger_run_outbox", { ...rest, dry_run: dryRun }, limits);
}

/** Publishes again what a transport has confirmed since a moment. @throws the errors of `takeSteps` */
export function resendOutbox(
  client: SupabaseClient,
  { dryRun, ...rest }: { readonly transport: string; readonly since: string } & OutboxChange,
  limits: StepsLimits = {},
): Promise<StepsResult> {
  return takeSteps(client, "messenger_resend_outbox", { ...rest, dry_run: dryRun }, limits);
}
