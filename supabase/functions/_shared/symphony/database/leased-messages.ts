/** Calls that take, keep and end the leases of messages: claim, heartbeat, progress, settle. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { ConflictError } from "../message/errors.ts";
import type { Settlement } from "../message/outcome.ts";
import type {
  Claim,
  ClaimRequest,
  HeartbeatResult,
  Lease,
  ProgressReport,
  SettleResult,
  ToldStep,
} from "../transport/receiver.ts";
import { type ClaimAnswer, claimArguments, toClaim } from "./claim-rows.ts";
import { keyConflict } from "./enqueue.ts";
import { callRpc, errorOf, type SqlError } from "./rpc.ts";
import { byToken } from "./settlement-rows.ts";

/** Leases due messages. @param timeoutMs longest time of the call @throws the errors of `callRpc` */
export async function claimMessages(
  client: SupabaseClient,
  request: ClaimRequest,
  timeoutMs: number,
): Promise<Claim> {
  const args = claimArguments(request);
  return toClaim(await callRpc<ClaimAnswer>(client, "messenger_claim", args, timeoutMs), request);
}

/**
 * Writes outcomes in one transaction, and with that ends their leases.
 * @param timeoutMs longest time of the call
 * @throws the errors of `callRpc`
 */
export async function settleMessages(
  client: SupabaseClient,
  settlements: readonly Settlement[],
  timeoutMs: number,
): Promise<SettleResult> {
  const args = { settlements: byToken(settlements) };
  return toResult(await callRpc<SettleAnswer>(client, "messenger_settle", args, timeoutMs));
}

/**
 * Settles and claims in one round trip and one transaction.
 * @param timeoutMs longest time of the call
 * @throws the errors of `callRpc`
 */
export async function settleAndClaimMessages(
  client: SupabaseClient,
  settlements: readonly Settlement[],
  request: ClaimRequest,
  timeoutMs: number,
): Promise<SettleResult & Claim> {
  const [{ claim, ...settled }] = await callRpc<[SettleAnswer & { claim: ClaimAnswer }]>(
    client,
    "messenger_settle_and_claim",
    { settlements: byToken(settlements), ...claimArguments(request) },
    timeoutMs,
  );
  return { ...toResult(settled), ...toClaim(claim, request) };
}

/** A message whose outcome was not written. Home may be of a release that does not tell whether its effects are at fault. */
type RefusedRow = SqlError & { id: string; token: string; of_outcome?: boolean };

/** The answer of `messenger_settle`. */
export interface SettleAnswer {
  readonly stale: string[];
  /** Left out or null if no effects are refused. */
  readonly refused?: readonly RefusedRow[] | null;
}

/** Reads the answer to a settle call. */
export function toResult({ stale, refused }: SettleAnswer): SettleResult {
  if (!refused) return { stale };
  return {
    stale,
    refused: refused.map(({ id, token, of_outcome: ofOutcome = false, ...problem }) => {
      const error = errorOf("settle", problem);
      return {
        id,
        leaseToken: token,
        ...(ofOutcome && { ofOutcome }),
        error: error instanceof ConflictError ? keyConflict(error) : error,
      };
    }),
  };
}

/**
 * Extends leases.
 * @param leaseMs length of the leases from now on
 * @param timeoutMs longest time of the call
 * @returns lost leases and cancelled messages
 * @throws the errors of `callRpc`
 */
export function extendLeases(
  client: SupabaseClient,
  leases: readonly Lease[],
  leaseMs: number,
  timeoutMs: number,
): Promise<HeartbeatResult> {
  return callRpc(client, "messenger_heartbeat", { leases, lease_ms: leaseMs }, timeoutMs);
}

/**
 * Writes the handlers' reports of their progress, and the steps that they run.
 * @param timeoutMs longest time of the call
 * @throws the errors of `callRpc`
 */
export function reportProgress(
  client: SupabaseClient,
  reports: readonly ProgressReport[],
  timeoutMs: number,
): Promise<void> {
  const rows = reports.map(({ leaseToken, step, ...report }) => ({
    ...{ ...report, token: leaseToken },
    ...(step && { step: stepColumns(step) }),
  }));
  return callRpc(client, "messenger_report_progress", { reports: rows }, timeoutMs);
}

function stepColumns({ ranMs, ...step }: ToldStep) {
  return { ...step, ran_ms: ranMs };
}
