/**
 * What a run tells its tick of itself: that dispatches may no longer count on it, that they may again, and
 * that others are to take over. A run that is no tick has nobody to tell.
 */

import type { Logger } from "../../runtime/log.ts";
import type { WorkerReport, WorkerTick } from "../worker-options.ts";

/** A handler that is done sooner brings the next claim by itself. */
const SOON_MS = 20;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;
/**
 * After messages a tick waits so long for more before it rests: pg_net, which would bring the next tick,
 * is deaf for two seconds after the second request that it gets within two seconds.
 */
const LINGER_MS = 2_500;
/** With no slot free for so long, in ms, others are to take what comes in. */
const STALLED_AFTER_MS = 1_000;

/** How a run stands at this turn of its loop. */
export interface Standing {
  /** On the clock of performance.now(). */
  readonly now: number;
  /** It claims no more. */
  readonly stopping: boolean;
  /** A call that settles or claims is on its way. */
  readonly exchanging: boolean;
  /** It holds no message, and waits for no call. */
  readonly idle: boolean;
  /** No claim is planned for the next moments. */
  readonly quiet: boolean;
  /** For how long it could not start a message, in ms; 0 where it can. */
  readonly stalledMs: number;
  /** When it ends, on the clock of performance.now(). */
  readonly endsAt: number;
  readonly report: WorkerReport;
}

/** Keeps the tick's row in the database in step with the run. */
export class Rest {
  /** Whether no dispatch counts on this run any more, and it need not look again by itself. */
  rested: boolean;
  /** Whether a call is on its way. */
  asking = false;
  /** When to ask next, on the clock of performance.now(); Infinity where that is not planned. */
  askAt = Infinity;
  /** When it has to be awake again; Infinity where others see to all. */
  wakeAt = Infinity;
  /** After an answer that asks for patience. */
  #notBefore = -Infinity;
  #pauseMs = FIRST_PAUSE_MS;
  /** The database knows it as one that dispatches count on. */
  #isAwake = true;
  #isAside = false;
  /** The latest call. */
  #calls: Promise<unknown> = Promise.resolve();
  #asideRefusedAt = -Infinity;
  /** A transaction that may count on this run has not committed, which may take long. */
  #isHeldUp = false;
  /** Messages claimed when it asked last: more of them are worth waiting for others. */
  #claimed = 0;
  /** Outcomes written since others were asked to take over. */
  #tellsOthers = true;

  constructor(
    private readonly tick: WorkerTick | undefined,
    private readonly on: {
      /** A message is due. */
      readonly onDue: () => void;
      /** When messages and schedules have to be looked for, in ms from now; null: not by this run. */
      readonly onRest: (messagesInMs: number | null, schedulesInMs: number | null) => void;
      /** Something changed. */
      readonly onAnswer: () => void;
      readonly log: Logger;
    },
  ) {
    this.rested = tick === undefined;
  }

  /** When a stalled run has to be told of. */
  stallsAt(filledAt: number): number {
    return this.tick && !this.#isAside ? filledAt + STALLED_AFTER_MS : Infinity;
  }

  /** Something was claimed or written: what was said before may not hold any more. */
  worked(): void {
    if (!this.tick) return;
    this.rested = false;
    this.wakeAt = Infinity;
    this.#tellsOthers = true;
  }

  /** Tells what there is to tell at this turn. */
  turn(standing: Standing): void {
    if (!this.tick) return;
    const { now, stopping, exchanging, idle, quiet, stalledMs } = standing;
    if (stopping) {
      if (!idle && !exchanging && this.#tellsOthers) this.#leave();
      return;
    }
    if (this.#isAside && stalledMs === 0) this.wake();
    else if (stalledMs >= STALLED_AFTER_MS && this.#isAwake && !this.#isAside) {
      this.#standAside(now);
    } else if (exchanging || !quiet) this.askAt = Infinity;
    else if (!this.rested && !this.asking) {
      if (idle) this.askAt = this.#notBefore;
      else if (this.askAt === Infinity) this.askAt = Math.max(now + SOON_MS, this.#notBefore);
      if (now >= this.askAt) this.#ask(standing);
    }
  }

  /** Dispatches count on this run again. Never throws. */
  async wake(): Promise<void> {
    this.rested = this.tick === undefined;
    this.wakeAt = Infinity;
    this.#isAside = false;
    const { tick } = this;
    if (!tick || this.#isAwake && !this.asking) return;
    await this.#call("wake_failed", async () => {
      await tick.wake();
      this.#isAwake = true;
    });
  }

  async #ask({ idle, report, endsAt, now }: Standing): Promise<void> {
    this.asking = true;
    this.askAt = Infinity;
    // Held up, it has to be as prompt for what others dispatch meanwhile.
    const lingerMs = report.claimed > this.#claimed || this.#isHeldUp ? LINGER_MS : 0;
    this.#claimed = report.claimed;
    const askedAt = performance.now();
    const answer = await this.#call("rest_failed", async () =>
      await this.tick?.rest({
        report: idle ? { ...report } : null,
        lingerMs: Math.round(Math.min(lingerMs, endsAt - now)),
        leftMs: endsAt - now,
      }));
    this.#isHeldUp = answer?.rested === false && !answer.due && answer.schedulesInMs !== 0;
    if (answer?.rested) this.#rest(answer.messagesInMs, answer.schedulesInMs);
    else if (answer?.due) this.on.onDue();
    else if (answer?.schedulesInMs === 0) this.on.onRest(null, 0);
    else this.#wait(performance.now() - askedAt);
    this.asking = false;
    this.on.onAnswer();
  }

  /** One call after the other: they say where the tick stands. Answers undefined where it failed. */
  #call<Answer>(event: string, call: () => Promise<Answer>): Promise<Answer | undefined> {
    const answer = this.#calls.then(call).catch((error) => {
      this.on.log.warn(event, { error: String(error) });
      return undefined;
    });
    this.#calls = answer;
    return answer;
  }

  #rest(messagesInMs: number | null, schedulesInMs: number | null): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#isAwake = false;
    this.rested = true;
    const inMs = Math.min(messagesInMs ?? Infinity, schedulesInMs ?? Infinity);
    this.wakeAt = performance.now() + inMs;
    this.on.onRest(messagesInMs, schedulesInMs);
  }

  /** Others are to take what comes in, until a handler is done. */
  async #standAside(now: number): Promise<void> {
    if (now - this.#asideRefusedAt < STALLED_AFTER_MS) return;
    this.#isAside = true;
    const stands = await this.#call("stand_aside_failed", async () => {
      const stands = await this.tick?.standAside(true) ?? false;
      this.#isAwake = !stands;
      return stands;
    });
    if (stands) return;
    this.#isAside = false;
    this.#asideRefusedAt = performance.now();
  }

  /** Others are to take over: this run claims no more, though its handlers may go on. */
  async #leave(): Promise<void> {
    this.#tellsOthers = false;
    await this.#call("stand_aside_failed", async () => await this.tick?.standAside(false));
  }

  /** @param askedMs how long the call took: one that has waited for more is repeated at once */
  #wait(askedMs: number): void {
    if (askedMs > LONGEST_PAUSE_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.#notBefore = performance.now() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
