/** Sorts deliveries before they run: those whose copy is handled, those that are cancelled, and those that crash. */

import type { DeliveryCalls } from "../database/delivery-calls.ts";
import type { Settlement } from "../message/outcome.ts";
import type { Logger } from "../runtime/log.ts";
import { type HeldDeliveries, type HeldDelivery, isCounted, isCrashed } from "./held-deliveries.ts";

/** For so long, in ms, home's latest word that nothing is cancelled is believed. */
const NO_CANCELS_MS = 250;

/** The parts of a sorter. */
export interface SorterParts {
  /** Name of the transport. */
  readonly name: string;
  readonly inbox: Pick<DeliveryCalls, "lookUp" | "settle">;
  readonly log: Logger;
  /** Tells the engine that deliveries are done. Never throws. */
  readonly acknowledge: (deliveries: readonly HeldDelivery[]) => Promise<void>;
}

/** Asks home about deliveries that were taken, where it may know something of them. */
export class DeliverySorter {
  /** When home said last that no delivery is cancelled, by `performance.now()`. */
  #noCancelsAt = -Infinity;

  constructor(private readonly parts: SorterParts, private readonly held: HeldDeliveries) {}

  /** Takes home's word whether any delivery of the transport is cancelled. */
  hear(cancels = false): void {
    this.#noCancelsAt = cancels ? -Infinity : performance.now();
  }

  /**
   * Drops deliveries of which a copy is handled, and those that are cancelled.
   * @param leaseMs length of their leases
   * @throws TransportError if home is out of reach; then all wait again
   */
  async sort(taken: readonly HeldDelivery[], leaseMs: number) {
    const mayBeCancelled = performance.now() - this.#noCancelsAt > NO_CANCELS_MS;
    const isDoubtful = (one: HeldDelivery) => one.mayBeRepeated || mayBeCancelled;
    const sorted = {
      fresh: taken.filter((one) => !isDoubtful(one)),
      crashed: [] as HeldDelivery[],
      dropped: [] as HeldDelivery[],
    };
    const doubtful = taken.filter(isDoubtful);
    if (doubtful.length === 0) return sorted;
    const { deliveries: told, cancels } = await this.parts.inbox.lookUp(doubtful, isCounted).catch(
      (error) => {
        this.held.putBack(taken);
        throw error;
      },
    );
    this.hear(cancels);
    const cancelled: HeldDelivery[] = [];
    for (const [index, one] of doubtful.entries()) {
      const { handled = false, cancelled: isCancelled = false, starts = 0 } = told[index] ?? {};
      if (handled) sorted.dropped.push(one);
      else if (isCancelled) cancelled.push(one);
      else if (isCrashed(one, starts)) sorted.crashed.push(one);
      else sorted.fresh.push(one);
    }
    this.held.remove(sorted.dropped);
    await this.parts.acknowledge(sorted.dropped);
    await this.#bury(cancelled, leaseMs).catch((error) => {
      this.held.putBack(taken.filter((one) => !sorted.dropped.includes(one)));
      throw error;
    });
    sorted.dropped.push(...cancelled);
    return sorted;
  }

  /** @throws TransportError if home is out of reach */
  async #bury(cancelled: readonly HeldDelivery[], leaseMs: number): Promise<void> {
    if (cancelled.length === 0) return;
    const { inbox, log, name, acknowledge } = this.parts;
    const settlements = cancelled.map(({ id, envelope: { leaseToken } }): Settlement => ({
      ...{ id, leaseToken },
      outcome: { kind: "dead", reason: "cancelled", errors: [] },
    }));
    // It was in no run.
    const adopted = cancelled.map((one) => ({
      ...one,
      envelope: { ...one.envelope, attempts: one.body.attempts },
    }));
    await inbox.settle({ handled: [], adopted, settlements, leaseMs });
    this.held.remove(cancelled);
    await acknowledge(cancelled);
    log.info("deliveries_cancelled", { transport: name, ids: cancelled.map(({ id }) => id) });
  }
}
