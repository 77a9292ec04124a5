/**
 * Ids of messages, schedules and batches. All are numbers as text, so each carries its kind: in the type, and in
 * objects as a property.
 */

import { invalid } from "./errors.ts";

/** Exists for the compiler only. */
declare const kindOf: unique symbol;

/** An id of a message. A plain text fits, an id of a schedule does not. */
export type MessageId = string & { readonly [kindOf]?: "message" };

/** An id of a schedule. A plain text fits, an id of a message does not. */
export type ScheduleId = string & { readonly [kindOf]?: "schedule" };

/** An id of a batch. A plain text fits, an id of a message does not. */
export type BatchId = string & { readonly [kindOf]?: "batch" };

/** A message, or its id. */
export type MessageRef = MessageId | { readonly kind: "message"; readonly id: MessageId };

/** A schedule, or its id. */
export type ScheduleRef = ScheduleId | { readonly kind: "schedule"; readonly id: ScheduleId };

/** A batch, or its id. */
export type BatchRef = BatchId | { readonly kind: "batch"; readonly id: BatchId };

/**
 * Returns the id as text.
 * @throws MessengerError `invalid` for an object of another kind, and for anything else that is no id
 */
export function idOf(
  ref: MessageRef | ScheduleRef | BatchRef,
  kind: "message" | "schedule" | "batch" = "message",
): string {
  const id = (ref as Exclude<typeof ref, string>)?.kind === kind ? (ref as { id: string }).id : ref;
  if (typeof id === "string" && /^[\w-]{1,99}$/.test(id)) return id;
  throw invalid(["id"], `has to be the id of a ${kind}`);
}
