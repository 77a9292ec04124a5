/** Events of the transport in memory, and which messages wait for them. */

import { ConflictError } from "../message/errors.ts";
import type { StepToStore } from "../message/stored-step.ts";
import type { EventCursor, EventRead, EventReads, StoredEvent, TokenUse } from "./event-reads.ts";
import { checkTexts } from "./memory-checks.ts";
import type { MemoryStep } from "./memory-steps.ts";

const MOST_EVENTS = 100;
const MAX_READ_BYTES = 1_048_576;

interface KeptEvent extends StoredEvent {
  readonly createdAt: number;
}

/** A parked message that waits for events. */
interface Waiter {
  readonly keys: readonly string[];
}

/** Whether a step that is stored ends a wait: then events wake its message no more. */
export function endsWait({ kind, status }: StepToStore): boolean {
  return (kind === "wait" || kind === "all") && status !== "pending";
}

/** Events in the order of their emits. Nothing is ever committed late here, so that the ids alone are cursors. */
export class MemoryEvents {
  readonly #events: KeptEvent[] = [];
  readonly #waiters = new Map<string, Waiter>();
  readonly #tokens = new Set<string>();
  readonly #now: () => number;
  readonly #wake: (id: string) => void;

  /**
   * @param now the clock, in ms since 1970
   * @param wake makes a message due that waits for an event
   */
  constructor(now: () => number, wake: (id: string) => void) {
    this.#now = now;
    this.#wake = wake;
  }

  /** All events, the oldest first. */
  get all(): readonly StoredEvent[] {
    return this.#events.map(({ createdAt: _, ...event }) => event);
  }

  /** Appends an event and wakes the messages that wait for it. @throws ConflictError if the token was used */
  emit(event: string, value: unknown, token?: TokenUse): string {
    checkTexts("emit", [event, value]);
    if (token && this.#tokens.has(token.id)) throw new ConflictError("token: was used already");
    if (token) this.#tokens.add(token.id);
    const id = String(this.#events.length + 1);
    const kept = value === undefined ? null : structuredClone(value);
    this.#events.push({ id, event, value: kept, createdAt: this.#now() });
    for (const [waiter, { keys }] of this.#waiters) {
      if (!keys.includes(event)) continue;
      this.#waiters.delete(waiter);
      this.#wake(waiter);
    }
    return id;
  }

  /** Reads events for messages that are leased under the tokens of their reads. */
  read(reads: readonly EventRead[]): Omit<EventReads, "stale"> {
    return {
      reads: reads.map((read) => ({ id: read.id, ...this.#unseen(read) })),
      snapshot: "",
      lastId: String(this.#events.length),
    };
  }

  /**
   * A parked message waits for events.
   * @param steps of the message; the pending one says what it has seen
   * @returns whether one is there already, that it has not seen: then it is due at once
   */
  wait(id: string, keys: readonly string[], steps: readonly MemoryStep[]): boolean {
    const pending = steps.find(({ kind, status }) => kind === "wait" && status === "pending");
    const { cursors = {} } = (pending?.details ?? {}) as {
      readonly cursors?: Readonly<Record<string, EventCursor>>;
    };
    const isThere = this.#events.some((event) =>
      keys.includes(event.event) && isUnseen(event, cursors[event.event], -Infinity)
    );
    if (isThere) this.#waiters.delete(id);
    else this.#waiters.set(id, { keys });
    return isThere;
  }

  /** A message waits no more. */
  forget(id: string): void {
    this.#waiters.delete(id);
  }

  #unseen({ keys, cursors, since }: EventRead): { events: StoredEvent[]; more: boolean } {
    const found = this.#events.filter((event) =>
      keys.includes(event.event) && isUnseen(event, cursors[event.event], since.getTime())
    );
    let bytes = 0;
    const end = found.findIndex(({ value }, index) => {
      bytes += JSON.stringify(value).length;
      return index === MOST_EVENTS || index > 0 && bytes > MAX_READ_BYTES;
    });
    const given = end < 0 ? found : found.slice(0, end);
    return {
      events: given.map(({ id, event, value }) => ({ id, event, value: structuredClone(value) })),
      more: given.length < found.length,
    };
  }
}

function isUnseen(
  { id, createdAt }: KeptEvent,
  cursor: EventCursor | undefined,
  since: number,
): boolean {
  return cursor ? Number(id) > Number(cursor.id) : createdAt >= since;
}
