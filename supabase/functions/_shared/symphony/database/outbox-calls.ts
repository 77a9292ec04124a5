/** Calls of a relay: it leases a shard of the outbox, and tells what has become of its batch. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { Stamps } from "../message/envelope.ts";
import { callRpc } from "./rpc.ts";

/** Timeout of a call, beside the time for which it waits. */
const TIMEOUT_MS = 10_000;

/** A row of the outbox. */
export interface Publication {
  readonly position: string;
  readonly id: string;
  readonly publication: number;
  readonly type: string;
  readonly payload: unknown;
  readonly queue: string;
  readonly priority: number;
  readonly groupKey?: string;
  readonly createdAt: string;
  readonly availableAt: string;
  readonly expiresAt?: string;
  readonly retryCount: number;
  readonly attempts: number;
  readonly snoozes: number;
  readonly interruptions: number;
  readonly stamps: Stamps | null;
  readonly errors: unknown[] | null;
  readonly repeated?: true;
}

/** The answer to a claim of the outbox. */
export interface ClaimedShard {
  /** Undefined if nothing is due. */
  readonly shard?: number;
  /** Identity of the installation, to which the ids belong. */
  readonly origin?: string;
  readonly messages: readonly Publication[];
}

/** The report of a relay on its batch; positions that it does not name are published again. */
export interface BatchReport {
  readonly sent: readonly string[];
  readonly refused: readonly {
    readonly position: string;
    readonly error: string;
    readonly tooLarge?: true;
  }[];
  /** Why the engine is away; null if it is not. */
  readonly failure: string | null;
}

/** The outbox of one transport, as its relay uses it. */
export class OutboxCalls {
  constructor(private readonly supabase: SupabaseClient, private readonly transport: string) {}

  /**
   * Leases a shard that is due.
   * @param token a new UUID, the fence of the lease
   * @param waitMs how long the call may wait for one, in ms, at most 3000
   * @throws the errors of `callRpc`
   */
  claim(token: string, leaseMs: number, waitMs: number): Promise<ClaimedShard> {
    const args = { transport: this.transport, token, lease_ms: leaseMs, wait_ms: waitMs };
    return callRpc(this.supabase, "messenger_claim_outbox", args, TIMEOUT_MS + waitMs);
  }

  /**
   * Ends the lease of a shard.
   * @returns stale: another relay has the shard, and nothing was written
   * @throws the errors of `callRpc`
   */
  finish(token: string, shard: number, report: BatchReport): Promise<{ readonly stale: boolean }> {
    const args = { transport: this.transport, shard, token, ...report };
    return callRpc(this.supabase, "messenger_finish_outbox", args, TIMEOUT_MS);
  }
}
