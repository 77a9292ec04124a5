/** Reads the events that the messages of a worker wait for: reads of many messages share a call. */

import type { Logger } from "../../runtime/log.ts";
import type { EventRead, EventReads, StoredEvent } from "../../transport/event-reads.ts";
import type { Transport } from "../../transport/transport.ts";
import { repeating } from "../calls.ts";
import type { Task } from "../run/task.ts";
import { Gatherer } from "./gatherer.ts";
import { leaseOf, stopTold, whileAnyRuns } from "./lease-calls.ts";

/** Most messages whose events one call reads. */
const MOST_READS = 100;

/** Keys of events, and what a message has seen of them. */
export type KeysToRead = Pick<EventRead, "keys" | "cursors" | "since">;

/** Events that a message has not seen yet. */
export interface UnseenEvents extends Pick<EventReads, "snapshot" | "lastId"> {
  readonly events: readonly StoredEvent[];
  /** There are further ones. */
  readonly more: boolean;
}

interface Read {
  readonly task: Task;
  readonly wanted: KeysToRead;
}

/** Reads events. */
export class EventReader {
  readonly #reads = new Gatherer<Read, UnseenEvents | null>(
    (reads) => this.#read(reads),
    MOST_READS,
  );

  constructor(private readonly parts: { readonly transport: Transport; readonly log: Logger }) {}

  /**
   * Reads the events of some keys that a message has not seen. If its lease is lost, or it is cancelled, its task is stopped.
   * @throws TransportError if the database stayed out of reach for as long as the message ran
   */
  async read(task: Task, wanted: KeysToRead): Promise<UnseenEvents> {
    for (;;) {
      const unseen = await this.#reads.ask({ task, wanted });
      // One call returns a bounded number of bytes: messages that were left out ask again.
      if (unseen) return unseen;
    }
  }

  async #read(reads: readonly Read[]): Promise<(UnseenEvents | null)[]> {
    const { transport, log } = this.parts;
    const requests = reads.map(({ task, wanted }) => ({ ...leaseOf(task), ...wanted }));
    const { answer } = await repeating(
      () => transport.readEvents(requests),
      whileAnyRuns(this.parts, reads),
    );
    const { snapshot, lastId } = answer;
    stopTold(log, reads, answer);
    const byId = new Map(answer.reads.map((read) => [read.id, read]));
    return reads.map(({ task }) => {
      const read = byId.get(task.envelope.id);
      if (read) return { events: read.events, more: read.more, snapshot, lastId };
      return task.isOver ? { events: [], more: false, snapshot, lastId } : null;
    });
  }
}
