/**
 * Reserved ids: a handler gets the id of a dispatch before the message is written. One call reserves ids for many
 * dispatches: those that wait for an id share a call, and a call for a message without a group brings more ids than
 * are wanted now, for the next ones.
 *
 * The messages of a group run in the order of their ids. A message of a group therefore gets an id that is reserved
 * after its dispatch; with one from the stock it would overtake messages that were dispatched before it.
 */

import { DISPATCH_TIMEOUT_MS } from "../message/payload.ts";
import { DispatchTimeoutError } from "../message/errors.ts";
import { within } from "../runtime/within.ts";
import { type Transport, TransportError } from "../transport/transport.ts";

/** Ids that the first call brings beside those that are wanted; each further call brings twice as many. */
const FIRST_STOCK = 8;
/** Most ids of a call. */
const MOST = 1_000;
/** How long ids are kept, in ms: after a restore of the database, other messages may have them. */
const KEPT_MS = 60_000;
/** How long a call that fails is repeated, in ms, and the first pause before that. */
const REPEATED_MS = 5_000;
const FIRST_PAUSE_MS = 50;

interface Waiting extends PromiseWithResolvers<string> {
  readonly isFresh: boolean;
}

/** The reserved ids of a worker. */
export class ReservedIds {
  #stock: string[] = [];
  #stockedAt = -Infinity;
  #stockSize = FIRST_STOCK;
  #waiting: Waiting[] = [];
  #isCalling = false;

  constructor(private readonly transport: Pick<Transport, "reserveIds">) {}

  /**
   * Takes an id.
   * @param isFresh whether it has to be reserved from now on
   * @returns the id; a promise of it if a call has to bring it. It rejects with the errors of the transport, and
   * with a DispatchTimeoutError
   */
  take(isFresh: boolean): string | Promise<string> {
    if (performance.now() - this.#stockedAt > KEPT_MS) this.#stock = [];
    const id = isFresh ? undefined : this.#stock.shift();
    if (id !== undefined) return id;
    const waiting = { ...Promise.withResolvers<string>(), isFresh };
    this.#waiting.push(waiting);
    if (!this.#isCalling) this.#reserve();
    return waiting.promise;
  }

  /** Makes calls until none waits for an id. Never throws. */
  async #reserve(): Promise<void> {
    this.#isCalling = true;
    // Dispatches of the same turn share the first call.
    await Promise.resolve();
    for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
      const served = this.#waiting.splice(0, MOST);
      try {
        this.#give(await this.#call(served), served);
      } catch (error) {
        for (const { reject } of served) reject(error);
      }
    }
    this.#isCalling = false;
  }

  async #call(served: readonly Waiting[]): Promise<string[]> {
    const isOnlyFresh = served.every(({ isFresh }) => isFresh);
    const number = Math.min(MOST, served.length + (isOnlyFresh ? 0 : this.#stockSize));
    if (!isOnlyFresh) this.#stockSize = Math.min(this.#stockSize * 2, MOST);
    const late = () => new DispatchTimeoutError("reserving an id", DISPATCH_TIMEOUT_MS);
    return [...await within(this.#repeated(number), DISPATCH_TIMEOUT_MS, late)];
  }

  /** Repeats a call that failed by no fault of its content: the attempt of a handler should not fail by it. */
  async #repeated(number: number): Promise<readonly string[]> {
    const until = performance.now() + REPEATED_MS;
    for (let pauseMs = FIRST_PAUSE_MS;; pauseMs *= 2) {
      try {
        return await this.transport.reserveIds(number);
      } catch (error) {
        const mayPass = error instanceof TransportError && error.fault !== "data";
        if (!mayPass || performance.now() + pauseMs > until) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** Gives ids to those that have waited since before the call, and keeps the rest. */
  #give(ids: string[], served: Waiting[]): void {
    if (ids.length === 0) throw new RangeError("reserveIds: has to return an id; returned none");
    for (const { resolve } of served.splice(0, ids.length)) resolve(ids.shift() ?? "");
    // A transport may return fewer ids than it was asked for.
    this.#waiting.unshift(...served);
    if (ids.length === 0) return;
    this.#stock = ids;
    this.#stockedAt = performance.now();
    this.#waiting = this.#waiting.filter(({ isFresh, resolve }) => {
      const id = isFresh ? undefined : this.#stock.shift();
      if (id !== undefined) resolve(id);
      return id === undefined;
    });
  }
}
