/**
 * The end of a run whose handler waits for a call that does not settle in it: a step that is retried, one that does
 * not fit, a sleep, a wait. The run ends once no other call is under way, and after the handler has had a turn
 * of the event loop to make a further one.
 */

import { DurableUsageError } from "../../message/errors.ts";
import type { Parked, Retry } from "../../message/outcome.ts";

/** Counts the durable calls of a run, and tells when only calls are left that do not settle in it. */
export class Ending {
  /** Set when the run ends by a failed step. */
  failed: { readonly error: unknown; readonly outcome: Retry } | undefined;
  /** No further call begins. */
  isClosed = false;
  #underWay = 0;
  #held = 0;
  #pausing: string | undefined;
  #parked: Omit<Parked, "kind"> | undefined;
  #yields = false;
  /** The run has ended, though its handler has not. */
  isOver = false;
  /** The handler has ended without an error. */
  hasSucceeded = false;
  #isFinished = false;
  readonly #idle: (() => void)[] = [];

  /** @param onEnd called once, when the run has ended */
  constructor(private readonly onEnd: () => void) {}

  /** A call begins. */
  begin(): void {
    this.#underWay++;
  }

  /** A call has settled. */
  done(): void {
    this.#underWay--;
    this.#look();
  }

  /** A call does not settle in this run. Returns a promise that never settles. */
  hold(): Promise<never> {
    this.#held++;
    this.done();
    return new Promise(() => {});
  }

  /** A step did not fit into the run: the message comes again at once. */
  yields(): Promise<never> {
    this.#yields = true;
    return this.hold();
  }

  /**
   * A call begins that may park the message.
   * @param label how the call is named in an error
   * @throws DurableUsageError while another one is pending
   */
  beginPause(label: string): void {
    if (this.#pausing !== undefined) {
      throw new DurableUsageError(
        `${label}: cannot begin while ${this.#pausing} is pending; a message sleeps or waits for one thing at a ` +
          "time, await the first one before",
      );
    }
    this.#pausing = label;
  }

  /** The call that may have parked the message has settled. */
  pauseSettled(): void {
    this.#pausing = undefined;
  }

  /** The message is parked by the call that began a pause. Returns a promise that never settles. */
  park(parked: Omit<Parked, "kind">): Promise<never> {
    this.#parked = parked;
    return this.hold();
  }

  /** The outcome of a run that ended without a failure: parked; undefined if nothing parks it. */
  get parked(): Omit<Parked, "kind"> | undefined {
    return this.#yields ? { ...this.#parked, delayMs: 0 } : this.#parked;
  }

  /**
   * The handler has ended, or the run has: no further call begins, and calls that are held no longer end the run.
   * Resolves when those that have begun have settled, or do not settle in this run.
   * @param hasSucceeded whether the handler has ended without an error
   */
  close(hasSucceeded: boolean): Promise<void> {
    this.isClosed = true;
    this.hasSucceeded = hasSucceeded && !this.isOver;
    this.#isFinished = true;
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #look(): void {
    if (this.#underWay > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
    if (this.#held === 0) return;
    setTimeout(() => {
      if (this.#underWay > 0 || this.isOver || this.#isFinished) return;
      this.isOver = true;
      this.isClosed = true;
      this.onEnd();
    }, 0);
  }
}
