/** Keys that the transport in memory holds for a time: idempotency keys, and dedupe keys with a window. */

import type { OutgoingMessage } from "../message/envelope.ts";
import { ConflictError } from "../message/errors.ts";

const IDEMPOTENCY_MS = 24 * 60 * 60 * 1000;

/**
 * The key that the message holds for a time, even after it has finished. An idempotency key comes with the
 * content that it stands for.
 */
function timedKey(
  message: OutgoingMessage,
): { key: string; content: string | null; ms: number } | null {
  const { type, idempotencyKey, idempotencyScope = "", dedupeKey, dedupe } = message;
  if (dedupeKey !== undefined && typeof dedupe === "object" && "windowMs" in dedupe) {
    return { key: JSON.stringify(["dedupe", type, dedupeKey]), content: null, ms: dedupe.windowMs };
  }
  if (idempotencyKey === undefined) return null;
  const key = JSON.stringify([idempotencyScope, type, idempotencyKey]);
  return { key, content: contentOf(message), ms: IDEMPOTENCY_MS };
}

/** The content that has to be equal under one idempotency key. The order of its fields does not matter. */
function contentOf(message: OutgoingMessage): string {
  const { payload, queue = "default", priority = 0, groupKey, delayMs = 0, availableAt } = message;
  const content = [payload, queue, priority, groupKey, delayMs, availableAt, message.ttlMs];
  return JSON.stringify(
    content,
    (_, value) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1))
        : value,
  );
}

/** A key that is held. */
interface HeldKey {
  readonly id: string;
  readonly content: string | null;
  readonly expiresAt: number;
}

/** The keys, and the ids that they stand for. */
export class MemoryKeys {
  readonly #held = new Map<string, HeldKey>();
  readonly #now: () => number;

  /** @param now the clock, in ms since 1970 */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws ConflictError if a key of these messages stands for other content, also among themselves */
  check(messages: readonly OutgoingMessage[]): void {
    const contents = new Map<string, string | null>();
    for (const [index, message] of messages.entries()) {
      const timed = timedKey(message);
      if (!timed) continue;
      const { key, content } = timed;
      const first = contents.get(key) ?? this.#live(key)?.content ?? content;
      if (first !== content) {
        throw new ConflictError(
          "idempotencyKey: stands for a message of this type with other content, dispatched " +
            "within 24 hours; repeat that one unchanged, or give another key",
          {},
          index,
        );
      }
      contents.set(key, content);
    }
  }

  /** The id that the message's key stands for, if it has one that is held. */
  known(message: OutgoingMessage): string | undefined {
    const timed = timedKey(message);
    return timed ? this.#live(timed.key)?.id : undefined;
  }

  /** Lets the message's key, if it has one, stand for this id. */
  hold(message: OutgoingMessage, id: string): void {
    const timed = timedKey(message);
    if (!timed) return;
    const { key, content, ms } = timed;
    this.#held.set(key, { id, content, expiresAt: this.#now() + ms });
  }

  #live(key: string): HeldKey | undefined {
    const held = this.#held.get(key);
    return held && held.expiresAt > this.#now() ? held : undefined;
  }
}
