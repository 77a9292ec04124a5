/** Heartbeats: keep the leases of everything a worker holds, with one call for all of it. */

import type { Envelope } from "../envelope.ts";
import type { Logger } from "../log.ts";
import type { Lease, Transport } from "../transport/transport.ts";

/** A running heartbeat. */
export interface Heartbeat {
  /** The leases have become shorter: the next beat comes in time for them. */
  hurry(): void;
  stop(): void;
}

/**
 * Extends the leases of what `held` answers, three times within a lease, until it is stopped.
 * @param options.leaseMs how long the shortest of the leases lasts
 * @param options.onKept told when the call that kept the leases was sent, by performance.now()
 * @param options.onLost told the ids whose lease is another's by now
 * @param options.onCancelled told the ids of messages that are not to be run on
 */
export function startHeartbeat(options: {
  readonly transport: Transport;
  readonly leaseMs: () => number;
  readonly held: () => Iterable<Pick<Envelope, "id" | "leaseToken">>;
  readonly onKept: (sentAt: number) => void;
  readonly onLost: (ids: readonly string[]) => void;
  readonly onCancelled: (ids: readonly string[]) => void;
  readonly log: Logger;
}): Heartbeat {
  const { transport, leaseMs, held, onKept, onLost, onCancelled, log } = options;
  const beat = async () => {
    const leases = byToken(held());
    if (leases.length === 0) return;
    const sentAt = performance.now();
    try {
      const { lost, cancelled } = await transport.extendLeases(leases, leaseMs());
      onKept(sentAt);
      if (lost.length > 0) onLost(lost);
      if (cancelled.length > 0) onCancelled(cancelled);
    } catch (error) {
      log.warn("heartbeat_failed", { error: String(error) });
    }
  };
  const start = () => setInterval(beat, leaseMs() / 3);
  let timer = start();
  const stop = () => clearInterval(timer);
  return {
    hurry: () => {
      stop();
      timer = start();
    },
    stop,
  };
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
