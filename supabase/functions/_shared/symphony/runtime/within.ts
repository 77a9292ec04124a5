/** A bound on a wait for code that may never end. */

/**
 * Waits for a promise, but no longer than a bound. Its later result or error is ignored.
 * @param ms the bound, in ms
 * @param late makes the error for a wait that took too long
 * @param signal ends the wait earlier
 * @throws the promise's error, the error that `late` makes, or the signal's reason
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
