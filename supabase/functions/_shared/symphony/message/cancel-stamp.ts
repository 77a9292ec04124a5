/** The stamp `onCancelled`: a message that is dispatched in the transaction that cancels the stamped one. */

import type { OutgoingMessage } from "./envelope.ts";

/** Makes the stamp of a prepared message, with the names that SQL reads. */
export function cancelStamp(message: OutgoingMessage) {
  const { type, payload, queue, priority, ttlMs, transport, stamps } = message;
  const given = Object.entries({
    ...{ type, payload, queue, priority, ttl_ms: ttlMs, transport, stamps },
  });
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

/** Reads the stamp; null if there is none, or one of another shape. */
export function cancelMessageOf(
  { onCancelled: stamp }: { readonly onCancelled?: unknown },
): OutgoingMessage | null {
  if (typeof stamp !== "object" || stamp === null) return null;
  const { ttl_ms: ttlMs, ...message }: { readonly type?: unknown; readonly ttl_ms?: number } =
    stamp;
  if (typeof message.type !== "string") return null;
  return { ...message, ...(ttlMs !== undefined && { ttlMs }) } as OutgoingMessage;
}
