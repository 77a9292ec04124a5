/** Waits with an end. */

/**
 * Waits for what a function does, and no longer than a time; without a function, for the time. The result is
 * undefined if the time is over. The function's signal is aborted at the end of the wait.
 * @throws the caller's signal's reason after that is aborted
 */
export function within<Result>(
  ms: number,
  signal: AbortSignal | undefined,
  act?: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  const over = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  return new Promise<Result | undefined>((resolve, reject) => {
    signal?.throwIfAborted();
    // The controller has the option `signal`, which ends the listening.
    signal?.addEventListener("abort", () => reject(signal.reason), over);
    timer = setTimeout(resolve as () => void, ms);
    act?.(over.signal).then(resolve, reject);
  }).finally(() => {
    over.abort();
    clearTimeout(timer);
  });
}
