/** The tick's row in the database, from its start to its end. */

import type { Logger } from "../../runtime/log.ts";
import type { IdleAnswer, IdleRequest, WorkerReport, WorkerTick } from "../worker-options.ts";
import type { DueSchedules } from "./due-schedules.ts";

const HEARTBEAT_INTERVAL_MS = 5_000;
/** Shortest interval between two calls for more ticks. */
const GROW_INTERVAL_MS = 1_000;

/** Calls an SQL function. */
export type Call = <Answer>(
  name: string,
  args?: Readonly<Record<string, unknown>>,
) => Promise<Answer>;

/** The answer to a tick's registration. */
export interface Started {
  readonly id: string;
  /** Whether there may be messages to handle. */
  readonly proceed: boolean;
  /** Most ticks at once. */
  readonly fleet: number;
  readonly schedules_due?: true;
}

/** Keeps the tick's row alive, and tells the database how the run stands. */
export class Presence implements WorkerTick {
  readonly #heartbeat: ReturnType<typeof setInterval>;
  /** Whether the database has ended the tick, which it does as it agrees to the last idle offer. */
  #isOver = false;
  #grownAt = -Infinity;

  constructor(
    private readonly started: Started,
    private readonly schedules: DueSchedules,
    private readonly call: Call,
    private readonly log: Logger,
  ) {
    this.#heartbeat = setInterval(() => {
      call("messenger_heartbeat_tick", { tick: started.id }).catch(this.#onError);
    }, HEARTBEAT_INTERVAL_MS);
  }

  async offerIdle({ report, lingerMs, leftMs }: IdleRequest): Promise<IdleAnswer> {
    const answer = await this.call<
      { rested: boolean; due: boolean; messages_in_ms?: number; schedules_in_ms?: number }
    >("messenger_rest_tick", {
      ...{ tick: this.started.id, report, linger_ms: lingerMs, left_ms: leftMs },
      schedules: !this.schedules.areStuck,
    });
    const {
      rested: agreed,
      due,
      messages_in_ms: messagesInMs = null,
      schedules_in_ms: schedulesInMs = null,
    } = answer;
    const pollsAgain = messagesInMs !== null || schedulesInMs !== null;
    this.#isOver = agreed && !pollsAgain && report !== null;
    return { agreed, due, messagesInMs, schedulesInMs };
  }

  async wake(): Promise<void> {
    await this.call("messenger_heartbeat_tick", { tick: this.started.id, awake: true });
  }

  standAside(stalled: boolean): Promise<boolean> {
    return this.call("messenger_stand_aside", {
      ...{ tick: this.started.id, stalled, schedules: !this.schedules.areStuck },
    });
  }

  backlog(): void {
    const now = performance.now();
    if (this.started.fleet <= 1 || now - this.#grownAt < GROW_INTERVAL_MS) return;
    this.#grownAt = now;
    this.call("messenger_grow_fleet").catch(this.#onError);
  }

  /** Ends the tick. @param report null if the tick failed */
  async end(report: WorkerReport | null): Promise<void> {
    clearInterval(this.#heartbeat);
    if (this.#isOver) return;
    // A tick that failed does not ask for a successor, which would fail too. The next minute's tick retries.
    const [successor, schedules] = [report !== null, !this.schedules.areStuck];
    await this.call("messenger_end_tick", { tick: this.started.id, report, successor, schedules })
      .catch(this.#onError);
  }

  readonly #onError = (error: unknown) =>
    this.log.warn("tick_call_failed", { tick: this.started.id, error: String(error) });
}
