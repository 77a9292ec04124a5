/** The calls by which a run tells the database how its tick stands. */

import type { Logger } from "../../runtime/log.ts";
import type { IdleAnswer, IdleRequest, WorkerTick } from "../worker-options.ts";

/** Makes one call after the other, in order, because each of them changes how the tick stands. */
export class TickCalls {
  /** Whether the database counts the tick as awake: dispatches count on it. */
  isAwake = true;
  /** The latest call. */
  #latest: Promise<unknown> = Promise.resolve();

  constructor(private readonly tick: WorkerTick, private readonly log: Logger) {}

  /** Offers to be idle. @returns undefined if the call failed */
  offerIdle(request: IdleRequest): Promise<IdleAnswer | undefined> {
    return this.#call("offer_idle", async () => {
      const answer = await this.tick.offerIdle(request);
      if (answer.agreed) this.isAwake = false;
      return answer;
    });
  }

  /** Dispatches count on the tick again. */
  async wake(): Promise<void> {
    await this.#call("wake", async () => {
      await this.tick.wake();
      this.isAwake = true;
    });
  }

  /**
   * Asks for other ticks to take over.
   * @param stalled whether the run only stalls, and will claim again
   * @returns whether others took over; undefined if the call failed
   */
  standAside(stalled: boolean): Promise<boolean | undefined> {
    return this.#call("stand_aside", async () => {
      const stands = await this.tick.standAside(stalled);
      if (stalled) this.isAwake = !stands;
      return stands;
    });
  }

  #call<Answer>(name: string, call: () => Promise<Answer>): Promise<Answer | undefined> {
    const answer = this.#latest.then(call).catch((error) => {
      this.log.warn("tick_call_failed", { call: name, error: String(error) });
      return undefined;
    });
    this.#latest = answer;
    return answer;
  }
}
