/** Waits with an end. */

/**
 * Waits. A call of the function that `onStart` receives ends the wait.
 * @throws the signal's reason after it is aborted
 */
export function pause(
  ms: number,
  signal: AbortSignal | undefined,
  onStart?: (end: () => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      signal?.aborted ? reject(signal.reason) : resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end);
    onStart?.(end);
    if (signal?.aborted) end();
  });
}

/**
 * Waits for a result, and no longer than a time.
 * @param late returns the result if the time is over
 * @throws the signal's reason after it is aborted
 */
export async function within<Result>(
  ms: number,
  result: Promise<Result>,
  late: () => Result,
  signal?: AbortSignal,
): Promise<Result> {
  let stop = () => {};
  const end = pause(ms, signal, (end) => stop = end).then(late);
  try {
    return await Promise.race([result, end]);
  } finally {
    stop();
  }
}
