/**
 * How often an outage is told. A worker asks a transport several times a second, and a line for each failure would fill
 * the log that has to tell the rest.
 */

import type { Logger } from "../runtime/log.ts";

/** Pause after the first line of an outage, in ms; it doubles up to the longest one. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;

/** One transport's outages. */
export class Outage {
  #pauseMs = FIRST_PAUSE_MS;
  #toldUntil = -Infinity;

  constructor(private readonly parts: { readonly name: string; readonly log: Logger }) {}

  /** Tells a failure, unless one was told a short time ago. @param now in ms */
  tell(error: unknown, now: number): void {
    if (now < this.#toldUntil) return;
    this.#toldUntil = now + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    const { name, log } = this.parts;
    log.warn("transport_away", { transport: name, error: String(error) });
  }

  /** The transport has answered: the next failure begins another outage. */
  end(): void {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#toldUntil = -Infinity;
  }
}
