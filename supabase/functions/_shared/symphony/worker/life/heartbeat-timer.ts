/** Heartbeats of a tick or a resident worker, by which the database knows that it was not killed. */

/** The database takes a tick without a heartbeat in the last 15 s for killed. */
const INTERVAL_MS = 5_000;

/** Calls `beat` every 5 s until it is stopped. @param beat sends the heartbeat, and never rejects */
export function startHeartbeatTimer(beat: () => Promise<void>): { readonly stop: () => void } {
  const timer = setInterval(() => void beat(), INTERVAL_MS);
  return { stop: () => clearInterval(timer) };
}
