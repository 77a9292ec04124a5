/** Calls about deliveries of engines: which are handled already, and what has become of them. */

import type { SupabaseClient } from "@supabase/supabase-js";
import type { Settlement } from "../message/outcome.ts";
import type { SettleResult } from "../transport/receiver.ts";
import { readPayload } from "../transport/engine-body.ts";
import type { HeldDelivery } from "../transport/held-deliveries.ts";
import { type SettleAnswer, toResult } from "./leased-messages.ts";
import { callRpc } from "./rpc.ts";
import { byToken } from "./settlement-rows.ts";

/** Outcomes of deliveries that are written in one transaction. */
export interface DeliverySettlements {
  /** Handled without further consequences. */
  readonly handled: readonly HeldDelivery[];
  /** With further consequences: they become messages of home. */
  readonly adopted: readonly HeldDelivery[];
  /** Outcomes of adopted ones; one without an outcome stays a running message of home. */
  readonly settlements: readonly Settlement[];
  /** Length of the lease of one that stays, in ms. */
  readonly leaseMs: number;
}

/** The result of {@link DeliveryCalls.settle}. */
export interface SettledDeliveries extends SettleResult {
  /** Ids whose publication was settled before: nothing was written for them. */
  readonly repeated: readonly string[];
  /** Whether any delivery of the transport is cancelled; left out by a fake, which has none. */
  readonly cancels?: boolean;
}

/** The answer about one delivery. */
export interface LookedUp {
  /** The outcome of a copy is written. */
  readonly handled: boolean;
  /** It was cancelled while the engine had it. */
  readonly cancelled?: boolean;
  /** How often a worker took it; 0 if it is not counted. */
  readonly starts: number;
}

/** The result of {@link DeliveryCalls.lookUp}. */
export interface DeliveriesLookedUp {
  /** An answer for each, in order. */
  readonly deliveries: readonly LookedUp[];
  /** Whether any delivery of the transport is cancelled, among others those that are still in the engine. */
  readonly cancels?: boolean;
}

/** The inbox of one transport, as it is kept at home. */
export class DeliveryCalls {
  constructor(
    private readonly supabase: SupabaseClient,
    private readonly transport: string,
    private readonly timeoutMs: number = 10_000,
  ) {}

  /**
   * Looks up deliveries: whether a copy is handled or it is cancelled, and how often a worker took one, this time included.
   * @param isCounted whether a delivery is counted
   * @throws the errors of `callRpc`
   */
  async lookUp(
    deliveries: readonly HeldDelivery[],
    isCounted: (delivery: HeldDelivery) => boolean,
  ): Promise<DeliveriesLookedUp> {
    const args = {
      transport: this.transport,
      deliveries: deliveries.map((one) => ({ ...identityRow(one), counted: isCounted(one) })),
    };
    return await callRpc<DeliveriesLookedUp>(
      this.supabase,
      "messenger_look_up_deliveries",
      args,
      this.timeoutMs,
    );
  }

  /** Writes outcomes, each once for a publication, in one transaction. @throws the errors of `callRpc` */
  async settle(
    { handled, adopted, settlements, leaseMs }: DeliverySettlements,
  ): Promise<SettledDeliveries> {
    const args = {
      transport: this.transport,
      handled: handled.map(identityRow),
      adopted: adopted.map(messageRow),
      settlements: byToken(settlements.map((one) => this.#withTransport(one, adopted))),
      lease_ms: leaseMs,
    };
    const { repeated, cancels = false, ...answer } = await callRpc<
      SettleAnswer & { repeated: string[]; cancels?: boolean }
    >(
      this.supabase,
      "messenger_settle_deliveries",
      args,
      this.timeoutMs,
    );
    return { ...toResult(answer), repeated, cancels };
  }

  /** A dead letter tells its transport. */
  #withTransport(settlement: Settlement, adopted: readonly HeldDelivery[]): Settlement {
    const { id, outcome } = settlement;
    if (outcome.kind !== "dead") return settlement;
    const before = adopted.find((held) => held.id === id)?.envelope.stamps;
    const stamps = { ...outcome.stamps ?? before, transport: this.transport };
    return { ...settlement, outcome: { ...outcome, stamps } };
  }

  /**
   * Cancels messages that wait in the outbox, and marks those that the engine has.
   * @throws the errors of `callRpc`
   */
  async cancelWaiting(filter: {
    readonly ids?: readonly string[];
    readonly type?: string;
    readonly queue?: string;
  }): Promise<{ readonly cancelled: number; readonly running: number }> {
    const sum = { cancelled: 0, running: 0 };
    for (let after: unknown = null;;) {
      const args = { ...filter, transport: this.transport, after };
      const step = await callRpc<{ done: number; running: number; next: unknown }>(
        this.supabase,
        "messenger_cancel_outbox",
        args,
        this.timeoutMs,
      );
      sum.cancelled += step.done;
      sum.running += step.running;
      if (step.next === null) return sum;
      after = step.next;
    }
  }
}

function identityRow({ envelope, body, delivery }: HeldDelivery) {
  const { publication } = delivery;
  return { id: envelope.id, origin: body.origin, source_id: delivery.id, publication };
}

function messageRow(held: HeldDelivery) {
  const { envelope, body } = held;
  return {
    ...identityRow(held),
    token: envelope.leaseToken,
    type: envelope.type,
    payload: deliveredPayload(held),
    queue: envelope.queue,
    priority: envelope.priority,
    expires_at: envelope.expiresAt,
    created_at: envelope.createdAt,
    retry_count: envelope.retryCount,
    attempts: envelope.attempts,
    snoozes: body.snoozes,
    interruptions: body.interruptions,
    group_key: envelope.groupKey,
    stamps: envelope.stamps,
    errors: body.errors,
  };
}

/** The payload as it was delivered. A handler may have changed the object that it was given, and a copy would cost each message. */
function deliveredPayload({ envelope: { payload }, delivery }: HeldDelivery): unknown {
  return typeof payload === "object" && payload !== null ? readPayload(delivery.body) : payload;
}
