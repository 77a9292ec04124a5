/** Effects: what a handler dispatches, until it is written with the outcome of its message. */

import type { OutgoingMessage } from "./envelope.ts";

/** A message with the id that is reserved for it. */
export interface ReservedMessage {
  readonly id: string;
  readonly message: OutgoingMessage;
}

/** An event that is emitted with an outcome. */
export interface Emitted {
  readonly event: string;
  /** JSON; null if there is no value. */
  readonly value: unknown;
}

/** The part of an outcome that is about other messages: written with it, in its transaction. */
export interface Effects {
  readonly messages: readonly ReservedMessage[];
  readonly emits: readonly Emitted[];
  /** Length of their JSON, in characters. */
  readonly size: number;
}

/** Most dispatches and emits of one attempt that go with its outcome. */
export const MAX_EFFECTS = 10_000;

/** Largest payload and largest stamps that Postgres takes, in bytes. */
const MAX_PAYLOAD_SIZE = 8 * 1_048_576;
const MAX_STAMPS_SIZE = 1_048_576;

/** Largest JSON of the effects of one attempt, and of those that one settle call writes, in characters. */
export const MAX_EFFECTS_SIZE = 8 * 1_048_576;

/**
 * The length of a message's payload and stamps as JSON, in characters.
 * @throws RangeError if one of them is too large for Postgres
 */
export function sizeOf({ payload, stamps = {} }: OutgoingMessage): number {
  return checkSize("payload", payload, MAX_PAYLOAD_SIZE) +
    checkSize("stamps", stamps, MAX_STAMPS_SIZE);
}

/** Characters that JSON may write in another way than as they are. */
const ESCAPED = /["\\\p{Cc}\p{Cs}]/u;
/** Objects with more fields are written to be measured. */
const FEW = 8;

/**
 * The length of a value as JSON, in characters. Long plain texts are not written for it: they would be garbage of the
 * same size, and a function has 256 MB.
 */
function lengthOf(value: unknown): number {
  if (typeof value === "string" && !ESCAPED.test(value)) return value.length + 2;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return JSON.stringify(value).length;
  }
  const fields = Object.entries(value);
  if (fields.length === 0 || fields.length > FEW) return JSON.stringify(value).length;
  return fields.reduce((sum, [name, part]) => sum + lengthOf(name) + 2 + lengthOf(part), 1);
}

function checkSize(field: string, value: unknown, most: number): number {
  const size = lengthOf(value);
  if (size > most) {
    throw new RangeError(`${field}: has ${size} bytes; has to have at most ${most}`);
  }
  return size;
}
