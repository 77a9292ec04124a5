/**
 * Breath: a resident worker starts its handlers one at a time, and lets timers and sockets have their turn
 * between two of them. Handlers that compute for seconds would otherwise start one behind the other in one turn
 * of the event loop: 20 of 5 s each keep back heartbeats for 100 s, and the leases of 60 s are lost.
 */

/** Time in which heartbeats and calls go out and come back, after a handler that kept the loop busy. */
const BREATH_MS = 20;
/** A handler that kept the loop busy for less needs no breath after it. */
const BUSY_MS = 10;

/** Makes the function that each handler waits for. @param sleep waits for a time in ms */
export function createBreath(
  sleep: (ms: number) => Promise<void> = (ms) => new Promise((done) => setTimeout(done, ms)),
  now: () => number = () => performance.now(),
): () => Promise<void> {
  let turn: Promise<void> = Promise.resolve();
  let startedAt = -Infinity;
  const next = async () => {
    // Behind the handler of the turn before, as far as it computes without a pause.
    await sleep(0);
    if (now() - startedAt >= BUSY_MS && startedAt > -Infinity) await sleep(BREATH_MS);
    startedAt = now();
  };
  return () => turn = turn.then(next);
}
