/** Effects: what a handler dispatches, until it is written with the outcome of its message. */

import { jsonLength } from "../runtime/json-length.ts";
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

/** The length of an event as JSON, in characters. */
export function sizeOfEvent({ event, value }: Emitted): number {
  return jsonLength({ event, value });
}

function checkSize(field: string, value: unknown, most: number): number {
  const size = jsonLength(value);
  if (size > most) {
    throw new RangeError(`${field}: has ${size} bytes; has to have at most ${most}`);
  }
  return size;
}
