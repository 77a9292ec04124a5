/** Finished messages of the transport in memory: handled ones and dead letters. */

import type { Dead } from "../message/outcome.ts";
import type { StoredEnvelope } from "./memory-rows.ts";

/** A dead letter, as the transport in memory keeps it. */
export interface DeadLetter {
  readonly envelope: StoredEnvelope;
  readonly reason: Dead["reason"];
}

/** Is told of each message that is handled (reason null) or becomes a dead letter. */
export type FinishedListener = (envelope: StoredEnvelope, reason: Dead["reason"] | null) => void;

/** Keeps finished messages, the oldest first, and tells listeners of them. */
export class FinishedMessages {
  readonly failed: DeadLetter[] = [];
  readonly handled: StoredEnvelope[] = [];
  /** Handled messages that their type remembers for `keepMs`. */
  readonly kept: { readonly envelope: StoredEnvelope; readonly keepMs: number }[] = [];
  readonly #listeners: FinishedListener[] = [];

  /** Tells a listener of each message that is finished from now on. */
  onFinished(listener: FinishedListener): void {
    this.#listeners.push(listener);
  }

  /** Adds a handled message. @param keepMs how long it is remembered; undefined: not at all */
  addHandled(envelope: StoredEnvelope, keepMs: number | undefined): void {
    this.handled.push(envelope);
    if (keepMs !== undefined) this.kept.push({ envelope, keepMs });
    this.#tell(envelope, null);
  }

  /** Makes a message a dead letter, with the errors of its outcome after those that it has. */
  bury(envelope: StoredEnvelope, { reason, stamps = envelope.stamps, errors }: Dead): void {
    const buried = {
      ...envelope,
      stamps: structuredClone(stamps),
      errors: [...envelope.errors, ...structuredClone(errors)],
    };
    this.failed.push({ envelope: buried, reason });
    this.#tell(buried, reason);
  }

  #tell(envelope: StoredEnvelope, reason: Dead["reason"] | null): void {
    for (const listener of this.#listeners) listener(envelope, reason);
  }
}
