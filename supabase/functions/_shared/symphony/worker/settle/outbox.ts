/** Outcomes that wait to be written, in company where possible. */

import type { Envelope } from "../../message/envelope.ts";
import { released, type Settlement, settlementOf } from "../../message/outcome.ts";

/** An outcome and the message it belongs to. */
export interface Done {
  readonly settlement: Settlement;
  readonly envelope: Envelope;
}

/** An outcome waits for company so long, in ms, before it is written alone. */
const FLUSH_AFTER_MS = 100;

/** Collects outcomes until they are worth a call. */
export class Outbox {
  #waiting: Done[] = [];
  #oldestAt = Infinity;
  readonly #writing = new Set<readonly Done[]>();

  /** @param many so many outcomes wait no longer */
  constructor(private readonly many: number) {}

  /** Whether nothing waits; what is being written does not count. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** When the oldest outcome has waited long enough, on the clock of performance.now(). */
  get dueAt(): number {
    return this.#oldestAt + FLUSH_AFTER_MS;
  }

  add(envelope: Envelope, outcome: Settlement["outcome"]): void {
    const settlement = settlementOf(envelope, outcome);
    if (this.isEmpty) this.#oldestAt = performance.now();
    this.#waiting.push({ settlement, envelope });
  }

  /** Gives messages back that were not started. */
  release(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) this.add(envelope, released);
  }

  /**
   * Whether outcomes should be written now: many, old enough, or with nothing left to wait for.
   * @param isLast whether no message waits or runs
   */
  isDue(now: number, isLast: boolean): boolean {
    return !this.isEmpty && (isLast || this.#waiting.length >= this.many || now >= this.dueAt);
  }

  /** Takes what waits, to write it; {@link written} when that is over. */
  take(): readonly Done[] {
    const taken = this.#waiting;
    this.#writing.add(taken);
    this.#waiting = [];
    this.#oldestAt = Infinity;
    return taken;
  }

  written(taken: readonly Done[]): void {
    this.#writing.delete(taken);
  }

  /** What waits and what is being written: its leases have to be kept. */
  *settlements(): Generator<Settlement> {
    for (const { settlement } of this.#waiting) yield settlement;
    for (const taken of this.#writing) {
      for (const { settlement } of taken) yield settlement;
    }
  }
}
