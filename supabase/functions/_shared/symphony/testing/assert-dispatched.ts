/** Asserts that messages were dispatched, and shows what was dispatched if they were not. */

import type { Envelope } from "../message/envelope.ts";
import { checkNames } from "../runtime/option-names.ts";
import { showValue } from "../runtime/inspect.ts";

/** Part of a payload: of objects some fields, of lists all items. */
export type PartialPayload<Payload> = Payload extends readonly unknown[] | Date ? Payload
  : Payload extends object ? { readonly [Key in keyof Payload]?: PartialPayload<Payload[Key]> }
  : Payload;

/** Options of `assertDispatched`. */
export interface AssertDispatchedOptions {
  /** How many such messages there have to be, 0 for none; by default one or more. */
  readonly times?: number;
}

/** Thrown by an assertion that does not hold. */
export class DispatchAssertionError extends Error {
  override readonly name = "AssertionError";
}

const MOST_SHOWN = 20;
const LONGEST_PAYLOAD = 200;

/**
 * Asserts that messages of a type, and with these fields in their payloads, were dispatched.
 * @param sent all messages that were dispatched
 * @param partial compared as JSON; undefined means any payload
 * @throws DispatchAssertionError with a list of `sent`
 * @throws RangeError for a wrong option
 */
export function assertDispatched(
  sent: readonly Envelope[],
  type: string,
  partial: unknown,
  options: AssertDispatchedOptions = {},
): void {
  checkNames(options, ["times"]);
  const { times } = options;
  if (times !== undefined && !(Number.isInteger(times) && times >= 0)) {
    throw new RangeError(
      `times: is no count (was ${showValue(times)}); give a whole number from 0`,
    );
  }
  const wanted = partial === undefined ? undefined : JSON.parse(JSON.stringify(partial));
  const count =
    sent.filter((envelope) =>
      envelope.type === type && (wanted === undefined || includes(envelope.payload, wanted))
    ).length;
  if (times === undefined ? count > 0 : count === times) return;
  const what = wanted === undefined ? type : `${type} with ${JSON.stringify(wanted)}`;
  const expected = times === undefined ? "one or more" : times;
  throw new DispatchAssertionError(
    `${what}: was dispatched ${count} times; expected ${expected}. ${list(sent)}`,
  );
}

/** Whether a value has all fields of another, with the same values. Lists have to be equal. */
export function includes(value: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(value) && value.length === part.length &&
      part.every((item, index) => includes(value[index], item));
  }
  if (typeof part !== "object" || part === null) return Object.is(value, part);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const fields = new Map(Object.entries(value));
  return Object.entries(part).every(([key, item]) =>
    fields.has(key) && includes(fields.get(key), item)
  );
}

function list(sent: readonly Envelope[]): string {
  if (sent.length === 0) return "Nothing was dispatched.";
  const lines = sent.slice(-MOST_SHOWN).map(({ id, type, payload }) => {
    const text = JSON.stringify(payload) ?? "undefined";
    const shown = text.length > LONGEST_PAYLOAD ? `${text.slice(0, LONGEST_PAYLOAD)}...` : text;
    return `  ${id}. ${type} ${shown}`;
  });
  const isCut = sent.length > MOST_SHOWN;
  const title = isCut ? `The last ${MOST_SHOWN} of ${sent.length} messages:` : "Dispatched:";
  return [title, ...lines].join("\n");
}
