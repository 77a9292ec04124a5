/** A bound on a wait: what is waited for may be code that never ends. */

/**
 * Waits for a promise, but no longer than a bound. What it comes to after that is ignored.
 * @param ms the bound, in ms
 * @param late makes the error of a wait that took longer
 * @param signal ends the wait earlier
 * @throws what the promise rejects with, the error that `late` makes, or the signal's reason
 */
export async function within<T>(
  promise: T | Promise<T>,
  ms: number,
  late: () => Error,
  signal?: AbortSignal,
): Promise<T> {
  const { promise: bound, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), ms);
  const end = () => reject(signal?.reason);
  signal?.addEventListener("abort", end, { once: true });
  if (signal?.aborted) end();
  try {
    return await Promise.race([promise, bound]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}
