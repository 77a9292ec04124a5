/**
 * The place of a message in the events of a key, as it moves on. Events are read in the order of their ids, but one
 * with a low id may be committed late, after events with higher ids were seen. The snapshot of a read tells such ones
 * apart, and they are named one by one until all late ones of that snapshot were seen.
 */

import type { EventCursor, StoredEvent } from "../../transport/event-reads.ts";

/** A read and how far it was looked at. */
export interface Examined {
  /** The events of the read that were looked at, of all keys, in order. */
  readonly events: readonly StoredEvent[];
  /** The read had no other events. */
  readonly isAll: boolean;
  readonly snapshot: string;
  /** Id of the last event of all keys, at the snapshot. */
  readonly lastId: string;
}

const idOf = (event: StoredEvent) => BigInt(event.id);
const later = (a: bigint, b: bigint) => a > b ? a : b;

/**
 * The cursor of a key after a read.
 * @param cursor the one with which it was read; undefined if it was the first read
 */
export function movedOn(
  key: string,
  cursor: EventCursor | undefined,
  { events, isAll, snapshot, lastId }: Examined,
): EventCursor | undefined {
  const ids = events.filter(({ event }) => event === key).map(idOf);
  const former = cursor === undefined ? 0n : BigInt(cursor.id);
  const last = ids.at(-1) ?? former;
  if (isAll) return { id: String(later(BigInt(lastId), former)), snapshot };
  // Late events stand before all others, so that none of them is left once a later one was looked at.
  if (last > former) return { id: String(last), snapshot };
  if (!cursor || ids.length === 0) return cursor;
  return { ...cursor, seen: [...cursor.seen ?? [], ...ids.map(String)] };
}

/** The cursors of all keys after a read. */
export function allMovedOn(
  keys: readonly string[],
  cursors: Readonly<Record<string, EventCursor>>,
  examined: Examined,
): Record<string, EventCursor> {
  return Object.fromEntries(keys.flatMap((key) => {
    const former = Object.hasOwn(cursors, key) ? cursors[key] : undefined;
    const cursor = movedOn(key, former, examined);
    return cursor ? [[key, cursor]] : [];
  }));
}
