/** Checks of the transport in memory: it refuses the messages that Postgres refuses. */

import { debounceOf } from "../message/dedupe.ts";
import { sizeOf } from "../message/effects.ts";
import type { OutgoingMessage } from "../message/envelope.ts";
import { ConflictError } from "../message/errors.ts";
import { isStorable } from "../runtime/json.ts";
import { TransportError } from "./transport.ts";

const MAX_CALL_BYTES = 64 * 1_048_576;

/** Refuses messages that are too large for Postgres. @throws RangeError */
export function checkSizes(messages: readonly OutgoingMessage[]): void {
  let total = 0;
  for (const message of messages) total += sizeOf(message);
  if (total > MAX_CALL_BYTES) {
    throw new RangeError(
      `messages: have ${total} bytes together; a call takes at most ${MAX_CALL_BYTES}, ` +
        "give them in several calls",
    );
  }
}

/**
 * Refuses texts that Postgres cannot hold, in keys and values.
 * @param operation name of the call
 * @throws TransportError
 */
export function checkTexts(operation: string, values: unknown): void {
  const check = (text: unknown) => {
    if (typeof text !== "string" || isStorable(text)) return;
    const problem = "a text holds U+0000 or half of a surrogate pair, which Postgres cannot hold";
    throw new TransportError(operation, problem, false);
  };
  JSON.stringify(values, (key, value) => {
    check(key);
    check(value);
    return value;
  });
}

/** Refuses a time to live that ends before the message is due. @throws RangeError */
export function checkTtl(message: OutgoingMessage, now: number): void {
  const { ttlMs, availableAt, delayMs = debounceOf(message.dedupe) ?? 0 } = message;
  const waitMs = availableAt ? availableAt.getTime() - now : delayMs;
  if (ttlMs === undefined || ttlMs > waitMs) return;
  throw new RangeError(
    "ttl: ends before the message is due; it has to be longer than the delay, or end after availableAt",
  );
}

/**
 * Refuses a chunk that does not belong to its batch as it is.
 * @throws ConflictError if the batch has other content or is cancelled; RangeError if a chunk before it is missing
 */
export function checkChunk(
  { id, chunks, at }: {
    readonly id: string;
    readonly chunks: readonly string[];
    readonly at: { readonly sealed?: number; readonly cancelled?: number };
  },
  { chunk, content, isLast, isOther }: {
    readonly chunk: number;
    readonly content: string;
    readonly isLast: boolean;
    readonly isOther: boolean;
  },
): void {
  const known = chunks[chunk - 1];
  const isOtherChunk = known === undefined
    ? at.sealed !== undefined
    : known !== content || isLast && chunk !== chunks.length;
  if (!isOther && at.cancelled !== undefined) throw new ConflictError(`batch: ${id} is cancelled`);
  if (isOther || isOtherChunk) {
    throw new ConflictError(
      "idempotencyKey: stands for a batch with other content, which is not sealed or was sealed " +
        "within 24 hours; repeat that one unchanged, or give another key",
    );
  }
  if (chunk > chunks.length + 1) {
    throw new RangeError(
      `chunk: has to be at most ${chunks.length + 1} (was ${chunk}); chunks come in order`,
    );
  }
}
