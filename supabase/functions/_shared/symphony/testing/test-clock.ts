/** The clock of a test: it stands still until the test moves it. */

import { showValue } from "../runtime/inspect.ts";

/** A clock that is moved by hand in a test. */
export class TestClock {
  #now: number;

  /**
   * @param start the system's time by default
   * @throws RangeError if it is not a valid Date
   */
  constructor(start: Date = new Date()) {
    if (!(start instanceof Date) || Number.isNaN(start.getTime())) {
      throw new RangeError(`now: is not a moment (was ${showValue(start)}); give a valid Date`);
    }
    this.#now = start.getTime();
  }

  /** The time in ms since 1970. */
  readonly now = (): number => this.#now;

  /** The time as a Date. */
  readonly date = (): Date => new Date(this.#now);

  /** Moves the clock forward. */
  advance(ms: number): void {
    this.#now += ms;
  }
}
