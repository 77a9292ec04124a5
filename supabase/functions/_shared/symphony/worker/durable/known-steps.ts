/** The steps of one message that a run knows: those of earlier runs, and its own. */

import { StepError, UnrecoverableError } from "../../message/errors.ts";
import type { StepIdentity, StoredStep } from "../../message/stored-step.ts";
import { bytesOf } from "./result.ts";

/** Most steps of a message. */
const MOST_STEPS = 1_000;
/** Most bytes of the results of a message's steps. */
const MOST_BYTES = 4 * 1_048_576;

/** Finds the steps of a message, and bounds their number and size. */
export class KnownSteps {
  readonly #steps = new Map<string, StoredStep>();
  /** Steps that have begun and are not stored yet: those that run side by side share the bounds. */
  readonly #begun = new Set<string>();
  /** Bytes of each result, also of those that are about to be stored. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  /** Adds a step that is stored. @param bytes of its result; measured by default */
  add(step: StoredStep, bytes: number = step.leftOut ?? bytesOf(step.result)): void {
    const id = keyOf(step);
    this.#steps.set(id, step);
    this.#begun.delete(id);
    this.#resize(id, bytes);
  }

  /** All of them, in the order in which they were stored first. */
  get all(): readonly StoredStep[] {
    return [...this.#steps.values()];
  }

  /** The handler has the result of a step, and asks for it no more in this run. A message's results have up to 4 MB. */
  returned(identity: StepIdentity): void {
    const id = keyOf(identity);
    const step = this.#steps.get(id);
    if (step?.result !== undefined) this.#steps.set(id, { ...step, result: undefined });
  }

  /** The stored step of an identity. */
  get(identity: StepIdentity): StoredStep | undefined {
    return this.#steps.get(keyOf(identity));
  }

  /**
   * A step begins that is not stored.
   * @throws StepError if the message can have no further one
   */
  begin(step: StepIdentity): void {
    if (this.#steps.size + this.#begun.size < MOST_STEPS) {
      this.#begun.add(keyOf(step));
      return;
    }
    throw new StepError(step.name, {
      reason: "unrecoverable",
      message:
        `the message has ${MOST_STEPS} steps already, the most that there may be; dispatch further messages`,
      class: "RangeError",
    });
  }

  /**
   * Takes the bytes of a result that is about to be stored.
   * @throws UnrecoverableError if the results would have too many bytes together
   */
  reserve(step: StepIdentity, bytes: number): void {
    if (this.#bytes + bytes > MOST_BYTES) {
      throw new UnrecoverableError(
        `result: has ${bytes} bytes, and those of the other steps ${this.#bytes}; a message's steps have at ` +
          `most ${MOST_BYTES} together, store results elsewhere and return where they are`,
      );
    }
    this.#resize(keyOf(step), bytes);
  }

  /** The call of a step has settled. If the step was not stored, it no longer counts. */
  settled(step: StepIdentity): void {
    const id = keyOf(step);
    if (this.#begun.delete(id)) this.#resize(id, 0);
  }

  #resize(id: string, bytes: number): void {
    this.#bytes += bytes - (this.#sizes.get(id) ?? 0);
    this.#sizes.set(id, bytes);
  }
}

function keyOf({ handler, name, key, nth }: StepIdentity): string {
  return JSON.stringify([handler, name, key, nth]);
}
