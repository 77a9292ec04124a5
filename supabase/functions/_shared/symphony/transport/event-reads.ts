/** Events as transports keep them: what a wait has seen, and what it reads. */

import type { LeaseAnswer } from "./durable-store.ts";

/** The place of a message in the events of one key. It has seen: events up to `id` that were committed at `snapshot`, and those in `seen`. */
export interface EventCursor {
  readonly id: string;
  /** The transport's own text. */
  readonly snapshot: string;
  /** Ids of events that were committed late, and that the message has seen since. */
  readonly seen?: readonly string[];
}

/** A read of the events that a message waits for. */
export interface EventRead {
  /** The message. */
  readonly id: string;
  /** Token of its lease. A read with another token returns nothing. */
  readonly leaseToken: string;
  /** Keys of events. */
  readonly keys: readonly string[];
  /** The events that the message has seen, by key. */
  readonly cursors: Readonly<Record<string, EventCursor>>;
  /** For keys without a cursor: events that were emitted from this moment on. */
  readonly since: Date;
}

/** An event as a wait reads it. */
export interface StoredEvent {
  readonly id: string;
  /** Key of the event. */
  readonly event: string;
  readonly value: unknown;
}

/** The result of reads. */
export interface EventReads extends LeaseAnswer {
  /** Of each message, its first unseen events in order. A message may be left out: it is asked for again. */
  readonly reads: readonly {
    readonly id: string;
    readonly events: readonly StoredEvent[];
    /** There are further ones. */
    readonly more: boolean;
  }[];
  /** Becomes a part of the next cursors. */
  readonly snapshot: string;
  /** Id of the last event of all keys, at the snapshot; "0" if there is none. */
  readonly lastId: string;
}

/** A token that is used by an emit. */
export interface TokenUse {
  readonly id: string;
  readonly expiresAt: Date;
}
