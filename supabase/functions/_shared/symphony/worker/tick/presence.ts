/** The presence of a tick in the database, from its registration to its end. */

import type { StartedTick, Ticks } from "../../database/ticks.ts";
import type { Logger } from "../../runtime/log.ts";
import { startHeartbeatTimer } from "../life/heartbeat-timer.ts";
import type { IdleAnswer, IdleRequest, WorkerReport, WorkerTick } from "../worker-options.ts";
import type { DueSchedules } from "./due-schedules.ts";

/** Shortest interval between two calls for more ticks. */
const GROW_INTERVAL_MS = 1_000;

/** Keeps a tick alive by heartbeats, and tells the database how its run stands. */
export class Presence implements WorkerTick {
  readonly #heartbeats: { readonly stop: () => void };
  /** Whether the database has ended the tick, which it does as it agrees to the last idle offer. */
  #isOver = false;
  #grownAt = -Infinity;

  constructor(
    private readonly ticks: Ticks,
    private readonly tick: StartedTick,
    private readonly schedules: DueSchedules,
    private readonly log: Logger,
  ) {
    this.#heartbeats = startHeartbeatTimer(() => ticks.heartbeat(tick.id).catch(this.#onError));
  }

  async offerIdle(request: IdleRequest): Promise<IdleAnswer> {
    const schedules = !this.schedules.areStuck;
    const answer = await this.ticks.offerIdle(this.tick.id, { ...request, schedules });
    const pollsAgain = answer.messagesInMs !== null || answer.schedulesInMs !== null;
    this.#isOver = answer.agreed && !pollsAgain && request.report !== null;
    return answer;
  }

  async wake(): Promise<void> {
    await this.ticks.wake(this.tick.id);
  }

  standAside(stalled: boolean): Promise<boolean> {
    if (this.#isOver) return Promise.resolve(true);
    return this.ticks.standAside(this.tick.id, { stalled, schedules: !this.schedules.areStuck });
  }

  backlog(): void {
    const now = performance.now();
    if (this.tick.fleet <= 1 || now - this.#grownAt < GROW_INTERVAL_MS) return;
    this.#grownAt = now;
    this.ticks.growFleet().catch(this.#onError);
  }

  /** Ends the tick. @param report null if the tick failed */
  async end(report: WorkerReport | null): Promise<void> {
    this.#heartbeats.stop();
    if (this.#isOver) return;
    // A tick that failed does not ask for a successor, which would fail too. The next minute's tick retries.
    const [successor, schedules] = [report !== null, !this.schedules.areStuck];
    await this.ticks.end(this.tick.id, { report, successor, schedules }).catch(this.#onError);
  }

  readonly #onError = (error: unknown) =>
    this.log.warn("tick_call_failed", { tick: this.tick.id, error: String(error) });
}
