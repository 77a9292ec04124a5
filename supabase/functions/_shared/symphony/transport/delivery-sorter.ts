/** Sorts deliveries before they run: those whose copy is handled, those that are cancelled, and those that crash. */

import type { DeliveryCalls } from "../database/delivery-calls.ts";
import type { Settlement } from "../message/outcome.ts";
import type { Logger } from "../runtime/log.ts";
import type { Engine } from "./engine.ts";
import { type HeldDeliveries, type HeldDelivery, isCounted, isCrashed } from "./held-deliveries.ts";

/** How long home's answer that nothing is cancelled holds, in ms. */
const NO_CANCELS_MS = 250;
/** After home was out of reach, how long deliveries that may run without its answer are not looked up, in ms. */
const AWAY_MS = 5_000;

/** The parts of a sorter. */
export interface SorterParts {
  /** Name of the transport. */
  readonly name: string;
  readonly engine: Pick<Engine, "outbox">;
  readonly inbox: Pick<DeliveryCalls, "lookUp" | "settle">;
  readonly log: Logger;
  /** Tells the engine that deliveries are done. Never throws. */
  readonly acknowledge: (deliveries: readonly HeldDelivery[]) => Promise<void>;
}

/** Asks home about deliveries that were taken, where it may know something of them. */
export class DeliverySorter {
  /** Until then no delivery is cancelled, by the clock of `performance.now()`. Later ones are looked up. */
  #mayBeCancelledAt = -Infinity;

  constructor(private readonly parts: SorterParts, private readonly held: HeldDeliveries) {}

  /** Notes home's answer whether any delivery of the transport is cancelled. */
  noteCancels(cancels = false): void {
    this.#mayBeCancelledAt = cancels ? -Infinity : performance.now() + NO_CANCELS_MS;
  }

  /**
   * Drops deliveries of which a copy is handled, and those that are cancelled.
   * @param leaseMs length of their leases
   * @throws TransportError if home is out of reach; then all wait again
   */
  async sort(taken: readonly HeldDelivery[], leaseMs: number) {
    const mayBeCancelled = performance.now() > this.#mayBeCancelledAt;
    const isDoubtful = (one: HeldDelivery) => one.mayBeRepeated || mayBeCancelled;
    const sorted = {
      fresh: taken.filter((one) => !isDoubtful(one)),
      crashed: [] as HeldDelivery[],
      dropped: [] as HeldDelivery[],
    };
    const doubtful = taken.filter(isDoubtful);
    if (doubtful.length === 0) return sorted;
    const answer = await this.#lookUp(doubtful).catch((error) => {
      this.held.putBack(taken);
      throw error;
    });
    if (!answer) return { ...sorted, fresh: [...taken] };
    const { deliveries: told, cancels } = answer;
    this.noteCancels(cancels);
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

  /**
   * Asks home.
   * @returns null if home is out of reach, and these may run all the same: they came directly, and first
   * @throws TransportError if home is out of reach
   */
  async #lookUp(doubtful: readonly HeldDelivery[]) {
    try {
      return await this.parts.inbox.lookUp(doubtful, isCounted);
    } catch (error) {
      const { outbox } = this.parts.engine;
      if (outbox !== false || doubtful.some((one) => one.mayBeRepeated)) throw error;
      this.#mayBeCancelledAt = performance.now() + AWAY_MS;
      return null;
    }
  }

  /** @throws TransportError if home is out of reach */
  async #bury(cancelled: readonly HeldDelivery[], leaseMs: number): Promise<void> {
    if (cancelled.length === 0) return;
    const { inbox, log, name, acknowledge } = this.parts;
    const settlements = cancelled.map(({ id, envelope: { leaseToken } }): Settlement => ({
      ...{ id, leaseToken },
      outcome: { kind: "dead", reason: "cancelled", errors: [] },
    }));
    // A cancelled delivery was in no run, so that its attempts do not grow.
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
