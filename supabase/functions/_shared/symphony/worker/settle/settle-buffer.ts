/** The settle buffer: outcomes that are not yet written, collected so that one call writes many. */

import type { Effects } from "../../message/effects.ts";
import type { Envelope } from "../../message/envelope.ts";
import { released, type Settlement, settlementOf } from "../../message/outcome.ts";

/** An outcome and its message. */
export interface Done {
  readonly settlement: Settlement;
  readonly envelope: Envelope;
}

/** Largest outcomes that one call writes, in characters of JSON, unless one alone is larger: effects, results, errors. */
export const MAX_CALL_SIZE = 2 * 1_048_576;
/**
 * With outcomes of this size that wait or are being written, no further message starts. A call takes several times its
 * size while it is written, and a function has 256 MB.
 */
export const MAX_UNWRITTEN_SIZE = 4 * 1_048_576;

/** Longest time that an outcome waits for others before it is written. */
const FLUSH_AFTER_MS = 100;

/** Collects outcomes until they are worth a call. */
export class SettleBuffer {
  #waiting: Done[] = [];
  #oldestAt = Infinity;
  /** Size of the waiting outcomes, in characters of JSON. */
  #size = 0;
  readonly #writing = new Set<readonly Done[]>();
  #writingSize = 0;

  /** @param enough number of outcomes that are written at once, without waiting for more */
  constructor(private readonly enough: number) {}

  /** Whether no outcome waits; outcomes that are being written do not count. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** When the oldest outcome has waited long enough, on the clock of performance.now(). */
  get dueAt(): number {
    return this.#oldestAt + FLUSH_AFTER_MS;
  }

  /** @param effects what is written with the outcome */
  add(envelope: Envelope, outcome: Settlement["outcome"], effects?: Effects): void {
    const settlement = settlementOf(envelope, outcome, effects);
    if (this.isEmpty) this.#oldestAt = performance.now();
    this.#waiting.push({ settlement, envelope });
    this.#size += sizeOf(settlement);
  }

  /** Size of the outcomes that wait or are being written, in characters of JSON. */
  get unwritten(): number {
    return this.#size + this.#writingSize;
  }

  /** Whether the outcomes that wait or are being written take so much memory that no further message may start. */
  get isFull(): boolean {
    return this.unwritten >= MAX_UNWRITTEN_SIZE;
  }

  /** Whether the outcomes that are being written take so much memory that no further call may be made beside them. */
  get writesMuch(): boolean {
    return this.#writingSize >= MAX_UNWRITTEN_SIZE;
  }

  /** Gives back messages that were not started. */
  release(envelopes: readonly Envelope[]): void {
    for (const envelope of envelopes) this.add(envelope, released);
  }

  /**
   * Whether outcomes should be written now: there are enough, the oldest has waited long enough, or no
   * more will come.
   * @param isLast whether no message waits or runs
   */
  isDue(now: number, isLast: boolean): boolean {
    return !this.isEmpty &&
      (isLast || this.#waiting.length >= this.enough || this.#isLarge || now >= this.dueAt);
  }

  /**
   * Takes the waiting outcomes, to write them, as far as one call can write them. Call {@link written}
   * once that is over.
   */
  take(): readonly Done[] {
    const end = this.#isLarge ? this.#fitting() : Infinity;
    // A new array: one that lives on would hold young objects, which the garbage collector then copies.
    const taken = end === Infinity ? this.#waiting : this.#waiting.slice(0, end);
    this.#waiting = end === Infinity ? [] : this.#waiting.slice(end);
    this.#writing.add(taken);
    const takenSize = end === Infinity ? this.#size : totalSize(taken);
    this.#size -= takenSize;
    this.#writingSize += takenSize;
    // Outcomes that remain are due at once.
    if (this.isEmpty) this.#oldestAt = Infinity;
    return taken;
  }

  /** An outcome leaves the call that took it, for one of its own. Returns what {@link written} takes once that is over. */
  takeApart(one: Done): readonly Done[] {
    const taken = [one];
    this.#writing.add(taken);
    this.#writingSize += totalSize(taken);
    return taken;
  }

  /** Drops the waiting outcomes. Returns them, and those that are being written. */
  drop(): readonly Done[] {
    const dropped = [...this.#waiting, ...[...this.#writing].flat()];
    this.#waiting = [];
    this.#size = 0;
    this.#oldestAt = Infinity;
    return dropped;
  }

  get #isLarge(): boolean {
    return this.#size > MAX_CALL_SIZE;
  }

  /** How many of the waiting outcomes one call can write; one in any case. */
  #fitting(): number {
    let size = 0;
    const end = this.#waiting.findIndex(({ settlement }, index) => {
      size += sizeOf(settlement);
      return index > 0 && size > MAX_CALL_SIZE;
    });
    return end === -1 ? Infinity : end;
  }

  /** The call that wrote these outcomes is over: their leases need no heartbeat any more. */
  written(taken: readonly Done[]): void {
    if (this.#writing.delete(taken)) this.#writingSize -= totalSize(taken);
  }

  /** Outcomes that wait or are being written: their leases have to be kept. */
  *settlements(): Generator<Settlement> {
    for (const { settlement } of this.#waiting) yield settlement;
    for (const taken of this.#writing) {
      for (const { settlement } of taken) yield settlement;
    }
  }
}

function totalSize(done: readonly Done[]): number {
  return done.reduce((total, { settlement }) => total + sizeOf(settlement), 0);
}

/** The parts of an outcome that its handler makes, and that no claim has counted. */
function sizeOf({ outcome, effects }: Settlement): number {
  let size = effects?.size ?? 0;
  if (outcome.kind === "handled") return size + (outcome.resultBytes ?? 0);
  if (outcome.kind !== "retry" && outcome.kind !== "dead") return size;
  for (const { message, stack = "" } of outcome.errors) size += message.length + stack.length;
  return size;
}
