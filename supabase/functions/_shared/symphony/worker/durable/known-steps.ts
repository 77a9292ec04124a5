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
  #bytes = 0;

  /** Adds a step that is stored. @param bytes of its result; measured by default */
  add(step: StoredStep, bytes: number = step.leftOut ?? bytesOf(step.result)): void {
    this.#steps.set(keyOf(step), step);
    this.#bytes += bytes;
  }

  /** All of them, in the order in which they were stored first. */
  get all(): readonly StoredStep[] {
    return [...this.#steps.values()];
  }

  /** The stored step of an identity. */
  get(identity: StepIdentity): StoredStep | undefined {
    return this.#steps.get(keyOf(identity));
  }

  /** @throws StepError for the step of this name, if the message can have no further one */
  checkNumber(name: string): void {
    if (this.#steps.size < MOST_STEPS) return;
    throw new StepError(name, {
      reason: "unrecoverable",
      message:
        `the message has ${MOST_STEPS} steps already, the most that there may be; dispatch further messages`,
      class: "RangeError",
    });
  }

  /** @throws UnrecoverableError if the results would have too many bytes together */
  checkBytes(bytes: number): void {
    if (this.#bytes + bytes <= MOST_BYTES) return;
    throw new UnrecoverableError(
      `result: has ${bytes} bytes, and those of the other steps ${this.#bytes}; a message's steps have at ` +
        `most ${MOST_BYTES} together, store results elsewhere and return where they are`,
    );
  }
}

function keyOf({ handler, name, key, nth }: StepIdentity): string {
  return JSON.stringify([handler, name, key, nth]);
}
