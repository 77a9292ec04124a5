/** The pulse of a tick or a resident worker: signs of life, by which the database knows that it was not killed. */

/** The database counts on a sign of life within 15 s. */
const INTERVAL_MS = 5_000;

/** Beats until it is stopped. @param beat a call to the database, which takes care of its errors */
export function startPulse(beat: () => Promise<void>): { readonly stop: () => void } {
  const timer = setInterval(() => void beat(), INTERVAL_MS);
  return { stop: () => clearInterval(timer) };
}
