/**
 * A resident worker starts its handlers one at a time, and lets timers and sockets have their turn
 * between two of them. Handlers that compute for seconds would otherwise start one behind the other in one turn
 * of the event loop: 20 of 5 s each keep back heartbeats for 100 s, and the leases of 60 s are lost.
 */

import { setImmediate } from "node:timers";

/**
 * Time in which heartbeats and calls go out and come back, after a handler that kept the loop busy: 2 % of the time
 * that it took. On a machine with 7 processes a core, 20 ms after 5 s were not enough, and calls timed out.
 */
const YIELD_SHARE = 1 / 50;
const SHORTEST_YIELD_MS = 20;
const LONGEST_YIELD_MS = 200;
/** After a handler that kept the loop busy for less, calls come back within a few turns of the loop. */
const BUSY_MS = 100;

/** Makes the function that each handler waits for. @param sleep waits for a time in ms, one turn of the loop at least */
export function createLoopYield(
  sleep: (ms: number) => Promise<void> = waitFor,
  now: () => number = () => performance.now(),
): () => Promise<void> {
  let queue: Promise<void> = Promise.resolve();
  /** The first turn of the loop after the latest start: a handler that computes without a pause puts it off. */
  let turn: Promise<void> = Promise.resolve();
  /** No handler starts before, on the clock of `now`. */
  let notBefore = -Infinity;
  const next = async () => {
    await turn;
    const yieldMs = notBefore - now();
    if (yieldMs > 0) await sleep(yieldMs);
    const startedAt = now();
    turn = sleep(0).then(() => {
      const freeAt = now();
      const busyMs = freeAt - startedAt;
      if (busyMs < BUSY_MS) return;
      const yieldMs = Math.max(busyMs * YIELD_SHARE, SHORTEST_YIELD_MS);
      notBefore = freeAt + Math.min(yieldMs, LONGEST_YIELD_MS);
    });
  };
  return () => queue = queue.then(next);
}

/** A timer of 0 ms takes 1 ms, which would bound a worker to a thousand starts a second. */
function waitFor(ms: number): Promise<void> {
  return new Promise((done) => void (ms > 0 ? setTimeout(done, ms) : setImmediate(done)));
}
