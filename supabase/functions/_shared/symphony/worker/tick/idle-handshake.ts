/**
 * The idle handshake. While a tick is awake, dispatches count on it and ask for no other tick. Before a run
 * ends or sleeps, it offers to be idle; only once the database has agreed may it stop polling, because from
 * then on a dispatch asks for another tick. A message that came in before makes the database refuse. A run
 * that is no tick has no handshake to make.
 */

import type { Logger } from "../../runtime/log.ts";
import type { RunState } from "../life/run-state.ts";
import type { WorkerTick } from "../worker-options.ts";
import { Handover, STALLED_AFTER_MS } from "./handover.ts";
import { IdleOffer } from "./idle-offer.ts";
import { TickCalls } from "./tick-calls.ts";

/** A handler that ends sooner than this brings the next claim by itself. */
const SOON_MS = 20;

/** The facts about a run on which its handshake depends. */
export interface HandshakeState extends RunState {
  /** No claim is planned for the next moments. */
  readonly quiet: boolean;
  /** End of the run, on the clock of performance.now(). */
  readonly endsAt: number;
}

/** Called with the consequences of an answer. */
export interface IdleEvents {
  /** A message is due. */
  readonly onDue: () => void;
  /** When messages and schedules fall due, in ms from now; null: not in this run. */
  readonly onNextDue: (messagesInMs: number | null, schedulesInMs: number | null) => void;
  /** A call was answered. */
  readonly onAnswer: () => void;
  readonly log: Logger;
}

/** Keeps the tick's row in the database in step with the run. */
export class IdleHandshake {
  /** Whether no dispatch counts on this run any more, and the run need not poll by itself. */
  agreed: boolean;
  /** Whether an offer is under way. */
  asking = false;
  /** When to offer next, on the clock of performance.now(); Infinity if that is not planned. */
  askAt = Infinity;
  /** When the tick has to be awake again; Infinity if other ticks see to everything. */
  wakeAt = Infinity;
  readonly #calls: TickCalls | null;
  readonly #handover: Handover | null;
  readonly #offer = new IdleOffer();

  constructor(tick: WorkerTick | undefined, private readonly on: IdleEvents) {
    this.#calls = tick ? new TickCalls(tick, on.log) : null;
    this.#handover = this.#calls && new Handover(this.#calls);
    this.agreed = this.#calls === null;
  }

  /** When the database has to be told that the run stalls. @param filledAt when a slot was filled last */
  stallsAt(filledAt: number): number {
    return this.#handover?.isAside === false ? filledAt + STALLED_AFTER_MS : Infinity;
  }

  /** Messages were claimed or outcomes written: the agreement of before may not hold any more. */
  worked(): void {
    if (!this.#handover) return;
    this.agreed = false;
    this.wakeAt = Infinity;
    this.#handover.worked();
  }

  /** Makes the calls that are due at this turn. */
  turn(state: HandshakeState): void {
    const [calls, handover] = [this.#calls, this.#handover];
    if (!calls || !handover) return;
    const { now, stopping, calling, idle, quiet, stalledMs } = state;
    if (stopping) {
      if (!idle && !calling) handover.leave();
    } else if (handover.isAside && stalledMs === 0) this.wake();
    else if (stalledMs >= STALLED_AFTER_MS && calls.isAwake && !handover.isAside) {
      handover.standAside(now);
    } else if (calling || !quiet) this.askAt = Infinity;
    else if (!this.agreed && !this.asking) {
      const { notBefore } = this.#offer;
      if (idle) this.askAt = notBefore;
      else if (this.askAt === Infinity) this.askAt = Math.max(now + SOON_MS, notBefore);
      if (now >= this.askAt) this.#ask(calls, state);
    }
  }

  /** Dispatches count on this run again. Never throws. */
  async wake(): Promise<void> {
    this.agreed = this.#calls === null;
    this.wakeAt = Infinity;
    if (this.#handover) this.#handover.isAside = false;
    if (!this.#calls || this.#calls.isAwake && !this.asking) return;
    await this.#calls.wake();
  }

  async #ask(calls: TickCalls, { idle, report, endsAt, now }: HandshakeState): Promise<void> {
    this.asking = true;
    this.askAt = Infinity;
    const lingerMs = this.#offer.lingerMs(report.claimed);
    const askedAt = performance.now();
    const answer = await calls.offerIdle({
      report: idle ? { ...report } : null,
      lingerMs: Math.round(Math.min(lingerMs, endsAt - now)),
      leftMs: endsAt - now,
    });
    this.#offer.answered(
      answer?.agreed === false && !answer.due && answer.schedulesInMs !== 0,
    );
    if (answer?.agreed) this.#agree(answer.messagesInMs, answer.schedulesInMs);
    else if (answer?.due) this.on.onDue();
    else if (answer?.schedulesInMs === 0) this.on.onNextDue(null, 0);
    else this.#offer.putOff(performance.now() - askedAt);
    this.asking = false;
    this.on.onAnswer();
  }

  #agree(messagesInMs: number | null, schedulesInMs: number | null): void {
    this.#offer.agreed();
    this.agreed = true;
    this.wakeAt = performance.now() + Math.min(messagesInMs ?? Infinity, schedulesInMs ?? Infinity);
    this.on.onNextDue(messagesInMs, schedulesInMs);
  }
}
