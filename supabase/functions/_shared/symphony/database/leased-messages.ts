/** Calls that take, keep and end the leases of messages: claim, heartbeat, progress, settle. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { Settlement } from "../message/outcome.ts";
import type {
  Claim,
  ClaimRequest,
  HeartbeatResult,
  Lease,
  ProgressReport,
  SettleResult,
} from "../transport/transport.ts";
import { type ClaimAnswer, claimArguments, toClaim } from "./claim-rows.ts";
import { callRpc } from "./rpc.ts";
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
export function settleMessages(
  client: SupabaseClient,
  settlements: readonly Settlement[],
  timeoutMs: number,
): Promise<SettleResult> {
  return callRpc(client, "messenger_settle", { settlements: byToken(settlements) }, timeoutMs);
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
  const [{ stale, claim }] = await callRpc<[SettleResult & { claim: ClaimAnswer }]>(
    client,
    "messenger_settle_and_claim",
    { settlements: byToken(settlements), ...claimArguments(request) },
    timeoutMs,
  );
  return { stale, ...toClaim(claim, request) };
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
 * Writes the handlers' reports of their progress.
 * @param timeoutMs longest time of the call
 * @throws the errors of `callRpc`
 */
export function reportProgress(
  client: SupabaseClient,
  reports: readonly ProgressReport[],
  timeoutMs: number,
): Promise<void> {
  const rows = reports.map(({ leaseToken, ...report }) => ({ ...report, token: leaseToken }));
  return callRpc(client, "messenger_report_progress", { reports: rows }, timeoutMs);
}
