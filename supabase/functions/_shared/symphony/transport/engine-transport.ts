/**
 * The transport over an engine: the engine hands out the messages, and home keeps their outcomes. An outcome is written
 * at home before the engine is told, so that none is lost; a copy that comes again is known there and dropped.
 *
 * A message that takes durable steps, or reports progress, needs a lease that can be extended and rows that wait. It
 * becomes a running message of home then, and the engine is told that it is done.
 */

import type { DeliveryCalls } from "../database/delivery-calls.ts";
import type { Settlement } from "../message/outcome.ts";
import type { Logger } from "../runtime/log.ts";
import type { Capabilities } from "./capabilities.ts";
import { DeliveryPuller } from "./delivery-puller.ts";
import { DeliverySorter } from "./delivery-sorter.ts";
import type { EffectRequest, StepsRequest, StepsToSave } from "./durable-store.ts";
import type { Engine, EngineDelivery } from "./engine.ts";
import { HeldDeliveries, type HeldDelivery } from "./held-deliveries.ts";
import {
  type CancelFilter,
  type Claim,
  type ClaimRequest,
  type Lease,
  MAX_CLAIM_BYTES,
  type ProgressReport,
  type SettleResult,
} from "./receiver.ts";
import { needsHome } from "./needs-home.ts";
import { Outage } from "./outage.ts";
import type { Transport } from "./transport.ts";

/** The parts of a transport over an engine. */
export interface EngineTransportParts {
  /** Name of the transport. */
  readonly name: string;
  readonly engine: Engine;
  /** The transport on the project's own Postgres. */
  readonly home: Transport;
  /** The inbox at home. */
  readonly inbox: Pick<DeliveryCalls, "lookUp" | "settle" | "cancelWaiting">;
  readonly log: Logger;
  /** The clock, in ms since 1970; default: the system's. */
  readonly now?: () => number;
}

/** Receives from an engine. Batches, events and dispatches go to home. */
export class EngineTransport implements Transport {
  readonly capabilities: Capabilities;
  readonly #parts: EngineTransportParts;
  readonly #held = new HeldDeliveries();
  readonly #outage: Outage;
  /** Length of the leases of the latest claim, in ms: a delivery that becomes a message of home gets one of these. */
  #leaseMs = 60_000;
  readonly #puller: DeliveryPuller;
  readonly #sorter: DeliverySorter;
  readonly #now: () => number;

  constructor(parts: EngineTransportParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#puller = new DeliveryPuller(parts, this.#held);
    const acknowledge = (some: readonly HeldDelivery[]) => this.#acknowledge(some);
    this.#sorter = new DeliverySorter({ ...parts, acknowledge }, this.#held);
    this.#outage = new Outage(parts);
    const { order, lease, maxBytes } = parts.engine.capabilities;
    this.capabilities = {
      ...{ received: "here", settle: "stepwise", cancel: "at-delivery" },
      // Of the copies of a publication, the first outcome is written, whichever worker has it.
      ...{ fence: "advisory", order, lease, maxBytes, limits: false, views: false },
    };
  }

  async claim(request: ClaimRequest): Promise<Claim> {
    const { token, leaseMs, maxMessages, maxBytes = MAX_CLAIM_BYTES, queues } = request;
    const claim = { lastKeys: {}, quarantinedDue: false, nextDueMs: null, leaseMs, lockMs: 0 };
    if (request.quarantined) return { ...claim, messages: [], crashed: [] };
    this.#leaseMs = leaseMs;
    if (this.#puller.hasUnread) await this.#puller.read();
    else if (maxMessages > 0 && !this.#held.hasReady) {
      await this.#puller.pull({ maxMessages, maxBytes, waitMs: request.waitMs ?? 0, queues })
        .then(() => this.#outage.end(), (error) => this.#outage.tell(error, this.#now()));
    }
    const taken = this.#held.take({ max: maxMessages, maxBytes }, token, this.#now());
    const { fresh, crashed, dropped } = await this.#sorter.sort(taken, leaseMs);
    return {
      ...claim,
      messages: fresh.map(({ envelope }) => envelope),
      crashed: crashed.map(({ envelope }) => envelope),
      more: this.#held.hasReady || dropped.length > 0,
      now: this.#now(),
    };
  }

  async settle(settlements: readonly Settlement[]): Promise<SettleResult> {
    const { home, inbox, engine } = this.#parts;
    const parts = this.#split(settlements);
    const { handled, adopted } = parts;
    const isDirect = engine.outbox === false && adopted.length === 0;
    const settled = isDirect || handled.length + adopted.length === 0
      ? { stale: [], repeated: [] }
      : await inbox.settle({
        handled,
        adopted: adopted.map(({ held }) => held),
        settlements: adopted.map(({ settlement }) => settlement),
        leaseMs: this.#leaseMs,
      });
    if ("cancels" in settled) this.#sorter.noteCancels(settled.cancels);
    const refused = new Set(settled.refused?.map(({ id }) => id));
    const done = [...handled, ...adopted.map(({ held }) => held)];
    for (const held of done) held.isAdopted = refused.has(held.id);
    this.#held.remove(done.filter(({ isAdopted }) => !isAdopted));
    await this.#acknowledge(done);
    // A message of a group keeps its place before later ones that are here. Others go to any worker that has room.
    const { kept, free } = this.#held.splitByLater(parts.released);
    this.#held.putBack(kept);
    await this.#giveBack(free);
    const atHome = parts.home.length > 0 ? await home.settle(parts.home) : { stale: [] };
    this.#held.remove(parts.homeHeld.filter(({ id }) => !isRefused(atHome, id)));
    const { repeated } = settled;
    const allRefused = [...settled.refused ?? [], ...atHome.refused ?? []];
    return {
      stale: [...new Set([...parts.unknown, ...settled.stale, ...repeated, ...atHome.stale])],
      ...(allRefused.length > 0 && { refused: allRefused }),
    };
  }

  async settleAndClaim(settlements: readonly Settlement[], request: ClaimRequest) {
    const settled = await this.settle(settlements);
    return { ...settled, ...await this.claim(request) };
  }

  async extendLeases(leases: readonly Lease[], leaseMs: number) {
    const atHome = leases.map(({ token, ids }) => ({
      token,
      ids: ids.filter((id) => this.#held.get(id, token)?.isAdopted),
    })).filter(({ ids }) => ids.length > 0);
    if (atHome.length === 0) return { lost: [], cancelled: [] };
    return await this.#parts.home.extendLeases(atHome, leaseMs);
  }

  async reportProgress(reports: readonly ProgressReport[]): Promise<void> {
    await this.#adopt(reports);
    await this.#parts.home.reportProgress(reports);
  }

  /** Cancels what waits in the outbox, and marks what the engine has: that is dropped at its delivery. */
  async cancel({ all, ...filter }: CancelFilter) {
    if ((Object.keys(filter).length === 0) === (all !== true)) {
      throw new RangeError("filter: has to name messages, or say all");
    }
    const cancelled = await this.#parts.inbox.cancelWaiting(filter);
    if (cancelled.running > 0) this.#sorter.noteCancels(true);
    return cancelled;
  }

  async loadSteps(requests: readonly StepsRequest[]) {
    await this.#adopt(requests);
    return await this.#parts.home.loadSteps(requests);
  }

  async saveSteps(saves: readonly StepsToSave[]) {
    await this.#adopt(saves);
    return await this.#parts.home.saveSteps(saves);
  }

  async effect(request: EffectRequest) {
    await this.#adopt([request]);
    return await this.#parts.home.effect(request);
  }

  async readEvents(reads: Parameters<Transport["readEvents"]>[0]) {
    await this.#adopt(reads);
    return await this.#parts.home.readEvents(reads);
  }

  send: Transport["send"] = (...args) => this.#parts.home.send(...args);
  reserveIds: Transport["reserveIds"] = (number) => this.#parts.home.reserveIds(number);
  emit: Transport["emit"] = (...args) => this.#parts.home.emit(...args);
  writeBatch: Transport["writeBatch"] = (...args) => this.#parts.home.writeBatch(...args);
  foldBatches: Transport["foldBatches"] = (ids) => this.#parts.home.foldBatches(ids);
  followBatch: Transport["followBatch"] = (...args) => this.#parts.home.followBatch(...args);
  batchResults: Transport["batchResults"] = (id) => this.#parts.home.batchResults(id);
  cancelBatch: Transport["cancelBatch"] = (id) => this.#parts.home.cancelBatch(id);

  /** Gives back what waits for its turn, and ends the connection. */
  async close(): Promise<void> {
    const unread = this.#puller.takeUnread().map((delivery) => ({ delivery }));
    await this.#giveBack([...this.#held.takeWaiting(), ...unread]);
    // The next run may be in this process too, and gets those again whose outcomes could not be written.
    this.#held.clear();
    await this.#parts.engine.close();
  }

  #split(settlements: readonly Settlement[]) {
    const split = {
      handled: [] as HeldDelivery[],
      adopted: [] as { readonly held: HeldDelivery; readonly settlement: Settlement }[],
      released: [] as HeldDelivery[],
      home: [] as Settlement[],
      homeHeld: [] as HeldDelivery[],
      unknown: [] as string[],
    };
    for (const settlement of settlements) {
      const held = this.#held.get(settlement.id, settlement.leaseToken);
      if (!held) split.unknown.push(settlement.id);
      else if (held.isAdopted) {
        split.home.push(settlement);
        split.homeHeld.push(held);
      } else if (settlement.outcome.kind === "released") split.released.push(held);
      else if (needsHome(settlement, held.body.stamps)) split.adopted.push({ held, settlement });
      else split.handled.push(held);
    }
    return split;
  }

  /** Makes running deliveries messages of home. One whose copy was handled has no lease there. */
  async #adopt(running: readonly { readonly id: string; readonly leaseToken: string }[]) {
    const deliveries = running.flatMap(({ id, leaseToken }) => {
      const held = this.#held.get(id, leaseToken);
      return held && !held.isAdopted ? [held] : [];
    });
    const adopted = [...new Set(deliveries)];
    if (adopted.length === 0) return;
    const [handled, settlements, leaseMs] = [[], [], this.#leaseMs];
    await this.#parts.inbox.settle({ handled, adopted, settlements, leaseMs });
    for (const held of adopted) held.isAdopted = true;
    await this.#acknowledge(adopted);
  }

  /** Never throws: a copy that the engine gives out again is known at home. */
  async #acknowledge(deliveries: readonly HeldDelivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    const { engine, log, name } = this.#parts;
    await engine.acknowledge(deliveries.map(({ delivery }) => delivery)).catch((error) =>
      log.warn("acknowledgement_failed", { transport: name, error: String(error) })
    );
  }

  /** Never throws: the engine gives out again what it loses. */
  async #giveBack(
    deliveries: readonly (HeldDelivery | { readonly delivery: EngineDelivery })[],
  ): Promise<void> {
    if (deliveries.length === 0) return;
    const { engine, log, name } = this.#parts;
    this.#held.remove(deliveries.filter((one): one is HeldDelivery => "envelope" in one));
    await engine.giveBack(deliveries.map(({ delivery }) => delivery)).catch((error) =>
      log.warn("give_back_failed", { transport: name, error: String(error) })
    );
  }
}

function isRefused({ refused = [] }: SettleResult, id: string): boolean {
  return refused.some((one) => one.id === id);
}
