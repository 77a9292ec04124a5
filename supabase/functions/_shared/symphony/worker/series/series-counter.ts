/**
 * Counts for the time series: what became of messages, how long they waited and how long they ran. They are counted in
 * memory, and written in one call at the end of a tick, or once a minute. A crash loses what was not written.
 */

import type { Envelope } from "../../message/envelope.ts";
import type { Settlement } from "../../message/outcome.ts";
import { parentQueue } from "../../message/lane.ts";
import { bucketOf, BUCKETS, type SeriesPoint } from "../../message/series-point.ts";
import type { Logger } from "../../runtime/log.ts";
import { within } from "../../runtime/within.ts";
import type { Transport } from "../../transport/transport.ts";

const MINUTE_MS = 60_000;
/** Longest time of the call that writes, at the end of a tick. */
const CALL_TIMEOUT_MS = 3_000;
/** Longest time that is counted: a row may say that it is due since the year 1. */
const LONGEST_MS = 2 ** 31;
/** Most points between two calls. Further queues and types are counted together. */
const MOST_POINTS = 2_000;
const OTHERS = "(others)";

/** The part of an outcome that counts. */
interface CountedOutcome {
  readonly kind: Settlement["outcome"]["kind"];
  readonly interrupted?: boolean;
}

/** Which message a count is of. */
type Counted = Pick<Envelope, "queue" | "type" | "dueAtMs">;

/** The parts of a counter. */
export interface SeriesOptions {
  readonly transport: Pick<Transport, "recordSeries">;
  readonly log: Logger;
}

/** The counts of one minute, queue and type. */
class Cell {
  handled = 0;
  retried = 0;
  failed = 0;
  readonly latency = new Array<number>(BUCKETS).fill(0);
  latencyMs = 0;
  readonly runs = new Array<number>(BUCKETS).fill(0);
  runMs = 0;

  constructor(readonly minute: number, readonly queue: string, readonly type: string) {}

  point(): SeriesPoint {
    const { queue, type, handled, retried, failed, latency, runs } = this;
    return {
      at: new Date(this.minute * MINUTE_MS).toISOString(),
      ...{ queue, type, handled, retried, failed },
      ...{ latency: trimmed(latency), latencyMs: Math.round(this.latencyMs) },
      ...{ runs: trimmed(runs), runMs: Math.round(this.runMs) },
    };
  }
}

/** Counts in memory until {@link write}. */
export class SeriesCounter {
  readonly #options: SeriesOptions;
  /** Ms from the clock of performance.now() to the store's; each claim tells it. */
  #ahead = performance.timeOrigin;
  #cells = new Map<string, Cell>();
  /** The cell of the message before: the next one is mostly of the same. */
  #last: Cell | undefined;
  #nextMinuteAt = -Infinity;
  #minute = 0;

  constructor(options: SeriesOptions) {
    this.#options = options;
  }

  /** The store's clock showed a moment. @param ms since 1970 @param at on the clock of performance.now() */
  synchronize(ms: number, at: number): void {
    this.#ahead = ms - at;
    this.#turn(at);
  }

  /**
   * A run of a message has ended. One that it snoozed, that is parked or that was interrupted is no whole attempt, and
   * does not count.
   * @param startedAt when it began, on the clock of performance.now()
   * @param endedAt when it ended, on the same clock
   */
  ran(envelope: Counted, outcome: CountedOutcome, startedAt: number, endedAt: number): void {
    if (!isCounted(outcome)) return;
    if (endedAt >= this.#nextMinuteAt) this.#turn(endedAt);
    const cell = this.#cellOf(envelope);
    const latencyMs = bounded(startedAt - (envelope.dueAtMs ?? startedAt));
    const runMs = bounded(endedAt - startedAt);
    const waited = bucketOf(latencyMs);
    const ran = bucketOf(runMs);
    cell.latency[waited] = (cell.latency[waited] ?? 0) + 1;
    cell.runs[ran] = (cell.runs[ran] ?? 0) + 1;
    cell.latencyMs += latencyMs;
    cell.runMs += runMs;
  }

  /**
   * A message has an outcome, which is to be written. It counts in the minute of the latest claim or attempt, to spare a
   * reading of the clock.
   * @param number -1 if the outcome was not written after all
   */
  ended(envelope: Counted, outcome: CountedOutcome, number: 1 | -1 = 1): void {
    if (!isCounted(outcome)) return;
    const { kind } = outcome;
    const cell = this.#cellOf(envelope);
    if (kind === "handled") cell.handled += number;
    else if (kind === "retry") cell.retried += number;
    else cell.failed += number;
  }

  /** Takes what was counted since the last call. */
  take(): SeriesPoint[] {
    const points = [...this.#cells.values()].map((cell) => cell.point());
    this.#cells = new Map();
    this.#last = undefined;
    return points;
  }

  /** Writes what was counted since the last call. Never throws: counts that cannot be written are lost. */
  async write(): Promise<void> {
    const { transport, log } = this.#options;
    const points = this.#cells.size > 0 ? this.take() : [];
    if (points.length === 0 || !transport.recordSeries) return;
    const late = () => new Error("the transport does not answer");
    try {
      await within(transport.recordSeries(points), CALL_TIMEOUT_MS, late);
    } catch (error) {
      log.warn("series_not_written", { points: points.length, error: String(error) });
    }
  }

  /** Lanes are counted with their queue: there may be any number of them. */
  #cellOf({ queue: name, type }: Counted): Cell {
    const queue = parentQueue(name);
    const last = this.#last;
    return last !== undefined && last.type === type && last.queue === queue
      ? last
      : this.#last = this.#find(queue, type);
  }

  #find(queue: string, type: string): Cell {
    const key = `${this.#minute} ${queue} ${type}`;
    const known = this.#cells.get(key);
    if (known) return known;
    if (this.#cells.size >= MOST_POINTS && type !== OTHERS) return this.#find(OTHERS, OTHERS);
    const cell = new Cell(this.#minute, queue, type);
    this.#cells.set(key, cell);
    return cell;
  }

  /** Begins a minute, if it is another one. */
  #turn(now: number): void {
    const storesNow = now + this.#ahead;
    this.#minute = Math.floor(storesNow / MINUTE_MS);
    this.#nextMinuteAt = now + MINUTE_MS - (storesNow - this.#minute * MINUTE_MS);
    this.#last = undefined;
  }
}

/** A time that a histogram can hold. */
function bounded(ms: number): number {
  return Math.min(Math.max(0, ms), LONGEST_MS);
}

/** An interruption costs no retry, and is none. */
function isCounted({ kind, interrupted }: CountedOutcome): boolean {
  return kind === "handled" || kind === "dead" || kind === "retry" && interrupted !== true;
}

function trimmed(counts: readonly number[]): number[] {
  return counts.slice(0, counts.findLastIndex((count) => count > 0) + 1);
}
