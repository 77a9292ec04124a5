/** Durable steps of the transport in memory. */

import type { StepIdentity, StepToStore, StoredStep } from "../message/stored-step.ts";

/** Results larger than this, in characters of JSON, are left out when all steps of a message are read. */
const LARGE_RESULT = 16_384;

/** A step as the transport in memory keeps it. */
export interface MemoryStep extends Omit<StoredStep, "leftMs" | "leftOut"> {
  /** When a sleep or wait ends, in ms since 1970. */
  readonly untilAt?: number;
}

/** Keeps the steps of each message, in the order in which they were stored. */
export class MemorySteps {
  /** Identity of this store. */
  readonly installation = crypto.randomUUID();
  readonly #steps = new Map<string, MemoryStep[]>();

  /** The steps of a message; none if it has none. */
  of(id: string): readonly MemoryStep[] {
    return this.#steps.get(id) ?? [];
  }

  /** Reads the steps of a message, or one of them. @param now in ms since 1970 */
  load(id: string, now: number, only?: StepIdentity): StoredStep[] {
    const steps = this.#steps.get(id) ?? [];
    steps.forEach((step, index) => {
      const isOver = step.untilAt !== undefined && step.untilAt <= now;
      if (step.kind === "sleep" && isOver) steps[index] = { ...step, status: "done" };
    });
    return steps.filter((step) => !only || isSame(step, only)).map((step) => {
      const { untilAt, result, ...rest } = step;
      const size = result === undefined ? 0 : JSON.stringify(result).length;
      return structuredClone({
        ...rest,
        ...(untilAt !== undefined && { leftMs: untilAt - now }),
        ...(size > LARGE_RESULT && !only ? { leftOut: size } : "result" in step && { result }),
      });
    });
  }

  /**
   * Stores a step, unless one of its identity is there that is not pending.
   * @param now in ms since 1970
   * @returns whether it was stored
   */
  save(id: string, { until, untilMs, effects: _, ...step }: StepToStore, now: number): boolean {
    const steps = this.#steps.get(id) ?? [];
    this.#steps.set(id, steps);
    const untilAt = until?.getTime() ?? (untilMs === undefined ? undefined : now + untilMs);
    const stored = structuredClone({ ...step, ...(untilAt !== undefined && { untilAt }) });
    const index = steps.findIndex((one) => isSame(one, step));
    const known = steps[index];
    if (!known) steps.push(stored);
    else if (known.status === "pending" && step.status !== "pending") {
      steps[index] = { ...known, ...stored };
    } else if (known.status === "pending" && step.details !== undefined) {
      steps[index] = { ...known, details: stored.details };
    } else return false;
    return true;
  }

  /**
   * Stores the sleep or the wait that parks a message. Others that are pending are left out by its handler, which was
   * changed, and go.
   * @param now in ms since 1970
   */
  park(id: string, step: StepToStore, now: number): void {
    const kept = this.of(id).filter((one) =>
      one.status !== "pending" || one.kind !== "sleep" && one.kind !== "wait" || isSame(one, step)
    );
    this.#steps.set(id, kept);
    this.save(id, step, now);
  }

  /**
   * When a pending step of a message ends, in ms since 1970.
   * @param now if there is none
   * @param only the step; default: the first that ends
   */
  endOf(id: string, now: number, only?: StepIdentity): number {
    const ends = this.of(id).flatMap((step) => {
      const { status, untilAt } = step;
      if (status !== "pending" || only && !isSame(step, only)) return [];
      return untilAt === undefined ? [] : [untilAt];
    });
    return ends.length > 0 ? Math.min(...ends) : now;
  }

  /** Forgets the steps of a message. */
  forget(id: string): void {
    this.#steps.delete(id);
  }
}

function isSame(a: StepIdentity, b: StepIdentity): boolean {
  return a.handler === b.handler && a.name === b.name && a.key === b.key && a.nth === b.nth;
}
