/** Waits with an end. */

/**
 * Waits for the first of these promises, and no longer than a time.
 * @param late returns the result if the time is over
 * @throws the signal's reason after it is aborted
 */
export async function within<Result>(
  ms: number,
  signal: AbortSignal | undefined,
  late: () => Result,
  ...first: Promise<Result>[]
): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let onAbort = () => {};
  const end = new Promise<Result>((resolve, reject) => {
    onAbort = () => reject(signal?.reason);
    timer = setTimeout(() => resolve(late()), ms);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
  });
  try {
    return await Promise.race([...first, end]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
