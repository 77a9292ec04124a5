/** The identity of steps: their names, their numbers, and the idempotency keys that are made of them. */

import { createHash } from "node:crypto";
import type { Stamps } from "../../message/envelope.ts";
import { DurableUsageError } from "../../message/errors.ts";
import type { StepIdentity } from "../../message/stored-step.ts";
import { readProperty, showValue } from "../../runtime/inspect.ts";

/** Numbers the calls of one handler's run that have the same name and key. */
export class Numbering {
  readonly #calls = new Map<string, { nth: number; isPending: boolean }>();

  /**
   * Begins a call, and returns its number from 1.
   * @throws DurableUsageError if the call before has not settled: in another run the two might change places
   */
  begin({ handler, name, key }: Omit<StepIdentity, "nth">): number {
    const id = JSON.stringify([handler, name, key]);
    const known = this.#calls.get(id);
    if (!known) this.#calls.set(id, { nth: 1, isPending: true });
    else if (known.isPending) {
      throw new DurableUsageError(
        `step ${showValue(name)}: is still running${
          key === "" ? "" : ` with the key ${showValue(key)}`
        }; ` +
          "await it before it is called again, or tell the calls apart by a key: { key: item.id }",
      );
    } else {
      known.nth++;
      known.isPending = true;
    }
    return known?.nth ?? 1;
  }

  /** The call has settled: the next one of its name and key gets the next number. */
  settled({ handler, name, key }: StepIdentity): void {
    const known = this.#calls.get(JSON.stringify([handler, name, key]));
    if (known) known.isPending = false;
  }
}

/**
 * The idempotency key of a step: the same in every run of its message, also after a crash or a redrive, and
 * another in every other step. 64 hexadecimal digits.
 * @param installation identity of the bus: a clone of the project has other keys
 * @param id the message's id
 */
export function idempotencyKey(installation: string, id: string, step: StepIdentity): string {
  const { handler, name, key, nth } = step;
  const text = JSON.stringify([installation, id, handler, name, key, nth]);
  return createHash("sha256").update(text).digest("hex");
}

/**
 * The idempotency key of the batch that a step dispatches. A redrive with `from` makes steps again, perhaps with
 * another payload: their batches are further ones, and not those under the keys of before. A step that was interrupted
 * and never stored is none of them, unless the redrive is from the start or edits the payload: it continues its batch.
 * @param key of the step
 * @param details of its row, which has the number of the redrive that forgot it
 */
export function batchKey(key: string, { redrivenFrom }: Stamps, details: unknown): string {
  const number = againOf(details) ?? redrivenFrom;
  return number === undefined ? key : `${key}:${number}`;
}

/** The number of the redrive that has a step made again; undefined if none has. */
export function againOf(details: unknown): number | undefined {
  const again = readProperty(details, "again");
  return typeof again === "number" ? again : undefined;
}

/**
 * Checks a step's name or key: 1 to 255 characters that Postgres can hold.
 * @throws DurableUsageError that names the field
 */
export function checkStepText(value: unknown, field: string): string {
  if (typeof value === "string" && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value)) return value;
  throw new DurableUsageError(
    `${field}: has to be 1 to 255 characters without control characters (was ${showValue(value)})`,
  );
}
