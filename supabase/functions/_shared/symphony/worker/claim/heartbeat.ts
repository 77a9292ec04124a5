/**
 * Heartbeats: keep the leases of everything a worker holds, with one call for all of it. Where the database
 * refuses that, they are kept in parts: a row that cannot be written costs its own lease only.
 */

import type { Envelope } from "../../message/envelope.ts";
import type { Logger } from "../../runtime/log.ts";
import type { HeartbeatResult, Lease, Transport } from "../../transport/transport.ts";
import { isOfItsContent } from "../settle/exchange.ts";

type Held = Pick<Envelope, "id" | "leaseToken">;

/** One in a thousand is found in three steps: a step may last as long as the database's time limit. */
const PARTS = 10;

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
  readonly held: () => Iterable<Held>;
  readonly onKept: (sentAt: number) => void;
  readonly onLost: (ids: readonly string[]) => void;
  readonly onCancelled: (ids: readonly string[]) => void;
  readonly log: Logger;
}): Heartbeat {
  const { leaseMs, held, onKept, onLost, onCancelled, log } = options;
  let isBeating = false;
  const beat = async () => {
    const all = [...held()];
    if (all.length === 0 || isBeating) return;
    isBeating = true;
    const sentAt = performance.now();
    try {
      const { lost, cancelled } = await keepInParts(all, sentAt + leaseMs(), options);
      onKept(sentAt);
      // What was claimed again meanwhile has another lease than the one that was lost.
      const sent = new Set(all.map(({ leaseToken }) => leaseToken));
      const newer = new Set<string>();
      for (const { id, leaseToken } of held()) if (!sent.has(leaseToken)) newer.add(id);
      const gone = lost.filter((id) => !newer.has(id));
      if (gone.length > 0) onLost(gone);
      if (cancelled.length > 0) onCancelled(cancelled);
    } catch (error) {
      log.warn("heartbeat_failed", { error: String(error) });
    }
    isBeating = false;
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

/**
 * Extends leases: all together, or what the database refuses together in smaller and smaller parts. A lease
 * that it refuses alone while it takes others counts as lost.
 * @param until on the clock of performance.now(); later it is not worth it
 * @throws what the database said, where it took none of them, or for none of their faults
 */
async function keepInParts(
  all: readonly Held[],
  until: number,
  { transport, leaseMs, log }: {
    readonly transport: Transport;
    readonly leaseMs: () => number;
    readonly log: Logger;
  },
): Promise<HeartbeatResult> {
  const result: HeartbeatResult[] = [];
  const refused: string[] = [];
  const left: (readonly Held[])[] = [all];
  for (let some = left.pop(); some; some = left.pop()) {
    try {
      result.push(await transport.extendLeases(byToken(some), leaseMs()));
    } catch (error) {
      const isLast = left.length === 0 && some.length === 1 && result.length === 0;
      if (!isOfItsContent(error) || isLast || performance.now() >= until) throw error;
      if (some.length > 1) left.push(...parts(some));
      else {
        const ids = some.map(({ id }) => id);
        log.error("heartbeat_refused", { ids, error: String(error) });
        refused.push(...ids);
      }
    }
  }
  return {
    lost: [...result.flatMap(({ lost }) => lost), ...refused],
    cancelled: result.flatMap(({ cancelled }) => cancelled),
  };
}

function parts(some: readonly Held[]): (readonly Held[])[] {
  const size = Math.ceil(some.length / PARTS);
  return Array.from(
    { length: Math.ceil(some.length / size) },
    (_, index) => some.slice(index * size, (index + 1) * size),
  );
}

function byToken(held: Iterable<Held>): Lease[] {
  const tokens = new Map<string, string[]>();
  for (const { id, leaseToken } of held) {
    const ids = tokens.get(leaseToken);
    if (ids) ids.push(id);
    else tokens.set(leaseToken, [id]);
  }
  return [...tokens].map(([token, ids]) => ({ token, ids }));
}
