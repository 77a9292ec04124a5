/**
 * Dispatches and events that an earlier run of a parked message has written. The handler runs from its top again and
 * repeats them: a dispatch gets the id that it had, and nothing is written a second time. They are known by handler,
 * type, and their place among those of that type, outside of steps.
 */

import type { Stamps } from "../../message/envelope.ts";
import { dictionary } from "../../runtime/dictionary.ts";

/** Ids by handler and type, in the order of the dispatches. */
export type Dispatched = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** The parts of an attempt that say which of its dispatches are repetitions. */
export interface Repeating {
  readonly task: { readonly envelope: { readonly stamps: Stamps } };
  /** Name of the handler that runs at this moment. */
  readonly handler?: string | undefined;
  /** How many dispatches of parked runs this run has repeated, by handler and type. */
  repeated?: Map<string, number>;
}

/** The place of an event beside the types of messages, whose names have no space. */
export function eventPlace(event: string): string {
  return `event ${event}`;
}

/**
 * Returns the id of a dispatch that an earlier run has written; undefined if it is new.
 * @param type of the message, or the {@link eventPlace} of an event
 */
export function dispatchedBefore(attempt: Repeating, type: string): string | undefined {
  const { handler, task: { envelope: { stamps: { durable } } } } = attempt;
  const known = handler === undefined ? undefined : durable?.dispatched?.[handler]?.[type];
  if (!Array.isArray(known)) return undefined;
  const counts = attempt.repeated ??= new Map<string, number>();
  const key = JSON.stringify([handler, type]);
  const nth = counts.get(key) ?? 0;
  counts.set(key, nth + 1);
  return known[nth];
}

/** Adds the dispatches of this run to the stamps of a message that is parked. */
export function withDispatched(stamps: Stamps, written: Dispatched): Stamps {
  const { durable } = stamps;
  if (!durable || Object.keys(written).length === 0) return stamps;
  const dispatched = dictionary<Record<string, readonly string[]>>();
  for (const from of [durable.dispatched ?? {}, written]) {
    for (const [handler, types] of Object.entries(from)) {
      const own = dispatched[handler] ??= dictionary();
      for (const [type, ids] of Object.entries(types)) own[type] = [...own[type] ?? [], ...ids];
    }
  }
  return { ...stamps, durable: { ...durable, dispatched } };
}
