/** Runs one worker for each transport beside home's, within one budget and with slots that they share. */

import type { Logger } from "../runtime/log.ts";
import type { Transport } from "../transport/transport.ts";
import { pause } from "./calls.ts";
import { SlotPool } from "./run/slot-pool.ts";
import type { WorkerReport } from "./worker-options.ts";

/** How long an idle worker of another transport waits for a message in one claim, in ms. */
const WAIT_MS = 1_000;
/** Shortest time from a run that found nothing, or failed, to the next one, in ms. */
const SHORTEST_PAUSE_MS = 250;

/** The options of one transport's run. */
export interface ReceivingRun {
  readonly transport: Transport;
  readonly pool: SlotPool;
  readonly waitMs: number;
}

/** The parts of the workers beside home's. */
export interface ReceivingParts {
  /** Transports beside home that this project receives from, by name. */
  readonly receivers: ReadonlyMap<string, Transport>;
  /** Handlers that run at once, in all workers together. */
  readonly concurrency: number;
  /** Handles what is due on a transport. */
  readonly run: (options: ReceivingRun) => Promise<WorkerReport>;
  /** Whether the run has to end. */
  readonly isOver: () => boolean;
  readonly log: Logger;
}

/**
 * Runs home's worker and those of the other transports. These look for messages as long as home's works, and at least
 * once. A transport in trouble is tried again and holds up no other.
 * @param home runs home's worker; gets the slots that it shares
 * @returns what all of them did
 * @throws the errors of home's worker, once the others have ended
 */
export async function runBeside(
  home: (pool: SlotPool) => Promise<WorkerReport>,
  parts: ReceivingParts,
): Promise<WorkerReport> {
  const pool = new SlotPool(parts.concurrency);
  let isHomeOver = false;
  const atHome = home(pool).finally(() => isHomeOver = true);
  const others = [...parts.receivers].map(([name, transport]) =>
    receive(name, { transport, pool, waitMs: WAIT_MS }, () => isHomeOver, parts)
  );
  const [own, ...rest] = await Promise.allSettled([atHome, ...others]);
  if (own.status === "rejected") throw own.reason;
  return rest.flatMap((one) => one.status === "fulfilled" ? [one.value] : [])
    .reduce(added, own.value);
}

/** Looks for messages of a transport until home's worker has ended and none is left. Never throws. */
async function receive(
  name: string,
  run: ReceivingRun,
  isHomeOver: () => boolean,
  { run: work, isOver, log }: ReceivingParts,
): Promise<WorkerReport> {
  let total: WorkerReport = { claimed: 0, handled: 0, retried: 0, failed: 0 };
  do {
    const startedAt = performance.now();
    try {
      const report = await work(run);
      total = added(total, report);
      if (report.claimed > 0) continue;
    } catch (error) {
      log.warn("receive_failed", { transport: name, error: String(error) });
    }
    if (isHomeOver() || isOver()) break;
    await pause(Math.max(0, SHORTEST_PAUSE_MS - (performance.now() - startedAt)));
  } while (!isOver());
  return total;
}

/** The sum of two reports. */
export function added(one: WorkerReport, other: WorkerReport): WorkerReport {
  return {
    claimed: one.claimed + other.claimed,
    handled: one.handled + other.handled,
    retried: one.retried + other.retried,
    failed: one.failed + other.failed,
  };
}
