/** Finished messages of the transport in memory: handled ones and dead letters. */

import type { MemberResult } from "../message/dispatched-batch.ts";
import type { Dead, Handled } from "../message/outcome.ts";
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
  readonly kept: {
    readonly envelope: StoredEnvelope;
    readonly keepMs: number;
    readonly result?: unknown;
  }[] = [];
  readonly #listeners: FinishedListener[] = [];

  /** Tells a listener of each message that is finished from now on. */
  onFinished(listener: FinishedListener): void {
    this.#listeners.push(listener);
  }

  /** Adds a handled message, and remembers it if its outcome says so. */
  addHandled(envelope: StoredEnvelope, { keepMs, result }: Handled): void {
    this.handled.push(envelope);
    if (keepMs !== undefined) {
      this.kept.push({ envelope, keepMs, ...(result !== undefined && { result }) });
    }
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

  /** The fate of a message that is finished. */
  fateOf(id: string): MemberResult {
    const none = { id, result: null, reason: null, error: null };
    const kept = this.kept.find(({ envelope }) => envelope.id === id);
    if (kept) return { ...none, status: "handled", result: structuredClone(kept.result) ?? null };
    const dead = this.failed.find(({ envelope }) => envelope.id === id);
    if (!dead) return { ...none, status: "missing" };
    return {
      ...none,
      status: dead.reason === "cancelled" ? "cancelled" : "failed",
      reason: dead.reason,
      error: dead.envelope.errors.at(-1)?.message ?? null,
    };
  }

  #tell(envelope: StoredEnvelope, reason: Dead["reason"] | null): void {
    for (const listener of this.#listeners) listener(envelope, reason);
  }
}
