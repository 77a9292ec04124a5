/** Heartbeats: keep the leases of everything a worker holds, with one call for all of it. */

import type { Envelope } from "../envelope.ts";
import type { Logger } from "../log.ts";
import type { Lease, Transport } from "../transport/transport.ts";

/**
 * Extends the leases of what `held` answers, three times within a lease, until it is stopped.
 * @param onKept called after a heartbeat that reached the database
 * @param onLost told the ids whose lease is another's by now
 * @param onCancelled told the ids of messages that are not to be run on
 * @returns a function that stops it
 */
export function startHeartbeat(options: {
  readonly transport: Transport;
  readonly leaseMs: number;
  readonly held: () => Iterable<Pick<Envelope, "id" | "leaseToken">>;
  readonly onKept: () => void;
  readonly onLost: (ids: readonly string[]) => void;
  readonly onCancelled: (ids: readonly string[]) => void;
  readonly log: Logger;
}): () => void {
  const { transport, leaseMs, held, onKept, onLost, onCancelled, log } = options;
  const beat = async () => {
    const leases = byToken(held());
    if (leases.length === 0) return;
    try {
      const { lost, cancelled } = await transport.extendLeases(leases, leaseMs);
      onKept();
      if (lost.length > 0) onLost(lost);
      if (cancelled.length > 0) onCancelled(cancelled);
    } catch (error) {
      log.warn("heartbeat_failed", { error: String(error) });
    }
  };
  const timer = setInterval(beat, leaseMs / 3);
  return () => clearInterval(timer);
}

function byToken(held: Iterable<Pick<Envelope, "id" | "leaseToken">>): Lease[] {
  const tokens = new Map<string, string[]>();
  for (const { id, leaseToken } of held) {
    const ids = tokens.get(leaseToken);
    if (ids) ids.push(id);
    else tokens.set(leaseToken, [id]);
  }
  return [...tokens].map(([token, ids]) => ({ token, ids }));
}
