/** How long messages wait for a free handler slot. */

/** More slots are calculated as this many under the same load, which wait a little longer. */
const MOST_SLOTS = 10_000;

/**
 * The mean time that a message waits for one of `slots` handlers, in ms; Infinity where they cannot keep up. Erlang's
 * C formula (A. K. Erlang, 1917) for arrivals at random, as M/M/c.
 * @param offered handlers that are busy on average: messages a second times seconds a handler
 */
export function meanWaitMs(offered: number, slots: number, handlerMs: number): number {
  if (offered === 0) return 0;
  if (offered >= slots) return Infinity;
  if (slots > MOST_SLOTS) return meanWaitMs(offered * MOST_SLOTS / slots, MOST_SLOTS, handlerMs);
  // Erlang's B by its recurrence, which never overflows: B(0) = 1, B(n) = a B(n-1) / (n + a B(n-1)).
  let blocked = 1;
  for (let n = 1; n <= slots; n++) blocked = offered * blocked / (n + offered * blocked);
  const waits = slots * blocked / (slots - offered * (1 - blocked));
  return waits * handlerMs / (slots - offered);
}
