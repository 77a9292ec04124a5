/** A run's duties to its tick, beside the messages: it processes schedules, and makes the idle handshake. */

import type { Logger } from "../../runtime/log.ts";
import type { Change } from "../change.ts";
import type { ClaimPlanner } from "../claim/claim-planner.ts";
import type { Duties, RunState } from "../life/run-state.ts";
import type { WorkerSchedules, WorkerTick } from "../worker-options.ts";
import { IdleHandshake } from "./idle-handshake.ts";
import { Occurrences } from "./occurrences.ts";

/** The parts that a tick's duties concern. */
export interface TickDutiesOptions {
  readonly tick?: WorkerTick;
  readonly schedules?: WorkerSchedules;
  readonly planner: ClaimPlanner;
  readonly changed: Change;
  /** End of the run, on the clock of performance.now(). */
  readonly endsAt: number;
  /** Whether schedules may take more of the run. */
  readonly hasRoom: () => boolean;
  readonly log: Logger;
}

/** The duties of a run to its tick. A run that is no tick, and has no schedules, has none. */
export class TickDuties implements Duties {
  readonly #options: TickDutiesOptions;
  readonly #handshake: IdleHandshake;
  readonly #occurrences: Occurrences;

  constructor(options: TickDutiesOptions) {
    const { tick, schedules, planner, changed, endsAt, hasRoom, log } = options;
    this.#options = options;
    this.#handshake = new IdleHandshake(tick, {
      onDue: () => planner.pollNow(),
      onNextDue: (messagesInMs, schedulesInMs) => {
        planner.pollIn(messagesInMs);
        this.#occurrences.planIn(schedulesInMs, endsAt);
      },
      onAnswer: () => changed.notify(),
      log,
    });
    this.#occurrences = new Occurrences(schedules, hasRoom, (dispatched) => {
      this.#handshake.worked();
      if (dispatched > 0) planner.pollNow();
      changed.notify();
    });
  }

  /** Whether schedules are being processed. */
  get isBusy(): boolean {
    return this.#occurrences.busy;
  }

  /** Whether the tick may end: there is nothing left to claim or to process, and no dispatch counts on it. */
  get isDone(): boolean {
    const { asking, agreed } = this.#handshake;
    return !asking && agreed && this.#options.planner.done && this.#occurrences.done;
  }

  /** Messages were claimed or outcomes written. */
  worked(): void {
    this.#handshake.worked();
  }

  /** A claim came back full: other ticks may help. */
  backlog(): void {
    this.#options.tick?.backlog();
  }

  /** Does what is due at this turn. */
  turn(state: RunState): void {
    const { now, stopping, idle } = state;
    const { planner, endsAt } = this.#options;
    if (!stopping) this.#occurrences.start(now, () => this.#handshake.wake());
    if (now >= this.#handshake.wakeAt) this.#handshake.wake();
    this.#handshake.turn({
      ...state,
      idle: idle && !this.isBusy,
      quiet: planner.quiet && !this.isBusy,
      endsAt,
    });
  }

  /** When the next duty may be due, on the clock of performance.now(). @param filledAt when a slot was filled last */
  times(filledAt: number): readonly number[] {
    const { askAt, wakeAt } = this.#handshake;
    return [this.#occurrences.dueAt, askAt, wakeAt, this.#handshake.stallsAt(filledAt)];
  }
}
