/** Reads deliveries. Any program may publish to an engine: a delivery that cannot be read becomes a dead letter. */

import { toStamps } from "../database/claimed-messages.ts";
import type { DeliveryCalls } from "../database/delivery-calls.ts";
import { BUS_STAMPS, type Stamps } from "../message/envelope.ts";
import { checkQueue } from "../message/names.ts";
import { readProperty } from "../runtime/inspect.ts";
import { isStorable } from "../runtime/json.ts";
import type { Logger } from "../runtime/log.ts";
import { type EngineBody, readBody } from "./engine-body.ts";
import type { Engine, EngineDelivery } from "./engine.ts";
import type { WaitingDelivery } from "./held-deliveries.ts";
import type { Transport } from "./transport.ts";

/** The origin of a message that no installation has written. */
const NO_ORIGIN = "00000000-0000-0000-0000-000000000000";
/** Length of a lease that ends in the call that gives it, in ms. */
const LEASE_MS = 60_000;
/** Longest part of an unreadable body that its dead letter keeps, in characters. */
const LONGEST_TEXT = 100_000;
/** Largest publication: the number after it still fits into an integer of Postgres. */
const LAST_PUBLICATION = 2_147_483_646;
const ID = /^[1-9]\d{0,17}$/;

/** The parts of a reader. */
export interface ReaderParts {
  readonly name: string;
  readonly engine: Pick<Engine, "acknowledge">;
  readonly home: Pick<Transport, "loadSteps" | "reserveIds">;
  readonly inbox: Pick<DeliveryCalls, "settle">;
  readonly log: Logger;
}

/** Ids of another installation's batches, schedules and users mean nothing here, or something else. */
function foreignStamps(
  stamps: Stamps,
  origin: { readonly installation: string; readonly id: string },
): Stamps {
  const rest = Object.entries(stamps).filter(([name]) => !BUS_STAMPS.has(name));
  return { ...toStamps(Object.fromEntries(rest)), origin };
}

/** Reads what an engine delivers. */
export class DeliveryReader {
  #origin: string | undefined;

  constructor(private readonly parts: ReaderParts) {}

  /**
   * Reads deliveries, in order. A message of another installation gets an id of this one.
   * @throws TransportError if home gave no id, or could not bury one
   */
  async read(deliveries: readonly EngineDelivery[]): Promise<WaitingDelivery[]> {
    if (deliveries.length === 0) return [];
    const { home } = this.parts;
    const origin = this.#origin ??= (await home.loadSteps([])).installation;
    const waiting: WaitingDelivery[] = [];
    for (const delivery of deliveries) {
      const body = this.#parse(delivery);
      if (body instanceof Error) {
        await this.#bury(delivery, body);
        continue;
      }
      const isOwn = body.origin === origin;
      const id = isOwn ? delivery.id : await this.#newId();
      const stamps = isOwn
        ? toStamps(body.stamps)
        : foreignStamps(body.stamps, { installation: body.origin, id: delivery.id });
      const mayBeRepeated = body.repeated || delivery.redelivered > 0;
      waiting.push({ id, delivery, body: { ...body, stamps }, mayBeRepeated });
    }
    return waiting;
  }

  #parse(delivery: EngineDelivery): EngineBody | Error {
    const { id, publication, type, queue } = delivery;
    try {
      if (!ID.test(id)) throw new RangeError("id: has to be a number of up to 18 digits");
      if (!Number.isInteger(publication) || publication < 1 || publication > LAST_PUBLICATION) {
        throw new RangeError(`publication: has to be a whole number from 1 to ${LAST_PUBLICATION}`);
      }
      if (type.length < 1 || type.length > 200 || !isStorable(type)) {
        throw new RangeError("type: has to be a name of 1 to 200 characters");
      }
      checkQueue(queue, "queue");
      return readBody(delivery.body);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async #newId(): Promise<string> {
    const [id = ""] = await this.parts.home.reserveIds(1);
    return id;
  }

  async #bury(delivery: EngineDelivery, error: Error): Promise<void> {
    const { inbox, engine, log, name } = this.parts;
    const now = new Date();
    const id = await this.#newId();
    const text = storable(delivery.body.slice(0, LONGEST_TEXT));
    const body = {
      ...{ origin: NO_ORIGIN, payload: text, priority: 0, groupKey: null },
      ...{ availableAt: null, expiresAt: null },
      ...{ createdAt: now.toISOString(), retryCount: 0, attempts: 1, snoozes: 0, interruptions: 0 },
      ...{ stamps: {}, errors: [], repeated: false },
    };
    const token = crypto.randomUUID();
    const envelope = {
      ...{ id, type: "unreadable", payload: text, queue: "default", priority: 0, groupKey: null },
      ...{ availableAt: now, createdAt: now, expiresAt: null, expired: false, leaseToken: token },
      ...{ retryCount: 0, attempts: 1, stamps: body.stamps, quarantined: false },
    };
    // The text of the error quotes the body, which may hold what Postgres refuses.
    const message = storable(String(readProperty(error, "message")));
    const entry = { message, class: error.name, attempt: 1, at: now.toISOString(), durationMs: 0 };
    await inbox.settle({
      handled: [],
      adopted: [{
        ...{ id, envelope, body, isAdopted: false, mayBeRepeated: false },
        delivery: { ...delivery, id, publication: 1 },
      }],
      settlements: [{
        id,
        leaseToken: token,
        outcome: { kind: "dead", reason: "invalid", errors: [entry] },
      }],
      leaseMs: LEASE_MS,
    });
    log.error("delivery_unreadable", { transport: name, id, error: message });
    await engine.acknowledge([delivery]);
  }
}

/** A text that Postgres keeps. */
function storable(text: string): string {
  return text.replaceAll("\0", "").toWellFormed();
}
