/** When a run offers to be idle, and how long the database waits for more messages before it agrees. */

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;
/**
 * After messages, the database waits this long for more before it agrees. pg_net, which would start the next
 * tick, serves no request for two seconds after the second request within two seconds.
 */
const LINGER_MS = 2_500;

/** Spaces the offers of a run. */
export class IdleOffer {
  /** The next offer comes no earlier, on the clock of performance.now(). */
  notBefore = -Infinity;
  #pauseMs = FIRST_PAUSE_MS;
  /** Messages claimed before the last offer: after new ones it is worth waiting for more. */
  #claimed = 0;
  /** A transaction that may count on this run has not committed, which may take long. */
  #isHeldUp = false;

  /** Ms that the database waits for more messages before it agrees. @param claimed messages, so far */
  lingerMs(claimed: number): number {
    // A run that is held up has to be as prompt for messages that others dispatch meanwhile.
    const lingerMs = claimed > this.#claimed || this.#isHeldUp ? LINGER_MS : 0;
    this.#claimed = claimed;
    return lingerMs;
  }

  /** The offer was answered. @param isHeldUp whether it was refused although neither messages nor schedules are due */
  answered(isHeldUp: boolean): void {
    this.#isHeldUp = isHeldUp;
  }

  /** The database has agreed. */
  agreed(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
  }

  /** Puts off the next offer. @param tookMs how long the call took: after one that lingered, the next comes soon */
  putOff(tookMs: number): void {
    if (tookMs > LONGEST_PAUSE_MS) this.#pauseMs = FIRST_PAUSE_MS;
    this.notBefore = performance.now() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }
}
