/**
 * Keeps a process within the lines that the platform keeps: hosted projects keep 100 log events in 10 seconds, and
 * drop the others. Beyond a share of that, lines are counted and summed up in one line. Errors come before warnings,
 * those before the rest; the library's lines and the handlers' have parts of their own, and one event never takes all
 * of its part.
 */

import { LOG_EVENTS } from "./log-events.ts";

/** A window of the platform, in ms. */
export const WINDOW_MS = 10_000;

/** Parts of the limit. The rest is for summaries, and for lines of the runtime. */
const PARTS = { library: 0.6, handlers: 0.3 };
/** Shares of a part that lines of a level may fill. */
const SHARES = { debug: 0.5, info: 0.6, warn: 0.8, error: 1 };
/** Share of a part that one event may fill. */
const EVENT_SHARE = 0.35;
/** Most events that a summary names. */
const MAX_NAMED = 20;

type Level = keyof typeof SHARES;

/** The lines of an event that were left out. */
export interface LeftOut {
  readonly event: string;
  readonly level: Level;
  count: number;
  readonly firstAt: string;
  lastAt: string;
  /** The id in the first of them, if it has one. */
  readonly id?: string;
}

/** Decides which lines are written. */
export class LogLimiter {
  readonly #limit: number;
  #startedAt = -Infinity;
  #written = { library: 0, handlers: 0 };
  readonly #ofEvent = new Map<string, number>();
  readonly #leftOut = new Map<string, LeftOut>();

  /** @param limit lines in 10 s */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether a window is over in which lines were left out: a summary is due. Begins the next window if one is over. */
  turn(at: Date): boolean {
    const age = at.getTime() - this.#startedAt;
    // A clock may be set back.
    if (age >= 0 && age < WINDOW_MS) return false;
    this.#startedAt = at.getTime();
    this.#written = { library: 0, handlers: 0 };
    this.#ofEvent.clear();
    return this.#leftOut.size > 0;
  }

  /** Whether a line may be written; counts it. @param id the line's `id`, if it has one */
  admits(event: string, level: Level, at: Date, id: unknown): boolean {
    const part = Object.hasOwn(LOG_EVENTS, event) ? "library" : "handlers";
    const room = this.#limit * PARTS[part];
    const ofEvent = this.#ofEvent.get(event) ?? 0;
    if (this.#written[part] < room * SHARES[level] && ofEvent < Math.max(1, room * EVENT_SHARE)) {
      this.#written[part]++;
      this.#ofEvent.set(event, ofEvent + 1);
      return true;
    }
    this.#leaveOut(event, level, at.toISOString(), id);
    return false;
  }

  /** The lines that were left out since the last call, the most serious and most frequent events first. */
  take(): { readonly lines: number; readonly leftOut: readonly LeftOut[] } {
    const all = [...this.#leftOut.values()];
    this.#leftOut.clear();
    const rank = Object.keys(SHARES);
    all.sort((a, b) => rank.indexOf(b.level) - rank.indexOf(a.level) || b.count - a.count);
    const lines = all.reduce((sum, { count }) => sum + count, 0);
    return { lines, leftOut: all.slice(0, MAX_NAMED) };
  }

  #leaveOut(event: string, level: Level, at: string, id: unknown): void {
    // Names of handlers' events may be without number; those beyond a bound share one entry.
    const name = this.#leftOut.size < 200 || this.#leftOut.has(event) ? event : "others";
    const known = this.#leftOut.get(name);
    if (known) {
      known.count++;
      known.lastAt = at;
      return;
    }
    this.#leftOut.set(name, {
      ...{ event: name.slice(0, 100), level, count: 1, firstAt: at, lastAt: at },
      ...((typeof id === "string" || typeof id === "number") && { id: String(id).slice(0, 100) }),
    });
  }
}
