/**
 * Heartbeats: one call extends the leases of everything that a worker holds. If the database refuses that
 * call, its parts are sent one by one, so that a row which cannot be written costs its own lease only.
 */

import type { Envelope } from "../../message/envelope.ts";
import type { Logger } from "../../runtime/log.ts";
import type { HeartbeatResult, Lease } from "../../transport/receiver.ts";
import type { Transport } from "../../transport/transport.ts";
import { isOfARow, isOfItsContent } from "../calls.ts";

type Held = Pick<Envelope, "id" | "leaseToken">;

/** A tenth at a time finds one row in a thousand in three steps. A step may last as long as the database's time limit. */
const PARTS = 10;
/** Refusals for now of one lease, in heartbeats one after the other, after which it ends before the next could extend it. */
const MOST_REFUSALS = 2;
/** After as many failed parts, and no lease extended, the fault is not of one row, and the next heartbeat tries again. */
const MOST_FAILURES = PARTS + 1;

/** Leases that the heartbeat before could not extend for now, and how often in a row. */
type Refusals = Map<string, number>;

/** A running heartbeat. */
export interface Heartbeat {
  /** The leases have become shorter: the next heartbeat comes in time for them. */
  hurry(): void;
  stop(): void;
}

/**
 * Extends the leases of what `held` returns, three times within a lease, until it is stopped.
 * @param options.leaseMs how long the shortest of the leases lasts
 * @param options.onKept called with the time, by performance.now(), at which a call that kept all leases was sent
 * @param options.onLost called with the ids whose lease another worker may have
 * @param options.onCancelled called with the ids of messages whose handlers have to stop
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
  let refusals: Refusals = new Map();
  const beat = async () => {
    const all = [...held()];
    if (all.length === 0 || isBeating) return;
    isBeating = true;
    const sentAt = performance.now();
    try {
      const kept = await keepInParts(all, sentAt + leaseMs(), { ...options, refusals });
      const { lost, cancelled } = kept;
      refusals = kept.refusals;
      onKept(sentAt);
      // A message that was claimed again meanwhile has another lease than the one that was lost.
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
 * Extends leases: all together, or, if the database refuses that, in smaller and smaller parts. A lease that
 * it refuses by itself counts as lost, provided that it extends another one; one that a trigger refuses for now counts as
 * lost the second time.
 * @param until end of the attempts, on the clock of performance.now()
 * @throws the database's error, if it extended no lease or if the content of the call is not at fault
 */
async function keepInParts(
  all: readonly Held[],
  until: number,
  { transport, leaseMs, refusals, log }: {
    readonly transport: Transport;
    readonly leaseMs: () => number;
    readonly refusals: Refusals;
    readonly log: Logger;
  },
): Promise<HeartbeatResult & { readonly refusals: Refusals }> {
  const again: Refusals = new Map();
  let failures = 0;
  const result: HeartbeatResult[] = [];
  const refused: string[] = [];
  const waiting: (readonly Held[])[] = [all];
  for (let some = waiting.pop(); some; some = waiting.pop()) {
    try {
      result.push(await transport.extendLeases(byToken(some), leaseMs()));
    } catch (error) {
      failures++;
      const [only] = some;
      const isForNow = isOfARow(error);
      const isOfAll = result.length === 0 && (isForNow && failures > MOST_FAILURES ||
        waiting.length === 0 && some.length === 1);
      const mayPass = isOfItsContent(error) || isForNow;
      if (!mayPass || isOfAll || performance.now() >= until) throw error;
      if (some.length > 1) waiting.push(...parts(some));
      else if (only) {
        log.error("heartbeat_refused", { ids: [only.id], error: String(error) });
        const key = `${only.id} ${only.leaseToken}`;
        const number = (refusals.get(key) ?? 0) + 1;
        if (isForNow && number < MOST_REFUSALS) again.set(key, number);
        else refused.push(only.id);
      }
    }
  }
  return {
    lost: [...result.flatMap(({ lost }) => lost), ...refused],
    cancelled: result.flatMap(({ cancelled }) => cancelled),
    refusals: again,
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
