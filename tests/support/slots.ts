/** Runs jobs side by side in a number of slots, so that the machine is busy until the last of them. */

/** A job, and how many slots it takes while it runs. */
export interface SlotJob<Result> {
  /** A job that takes more than there are has all of them. */
  readonly slots: number;
  readonly run: () => Promise<Result>;
}

/**
 * Starts jobs in their order, each as soon as its slots are free. A job that needs several slots is not
 * overtaken: it would wait until the end.
 * @param limit how many slots there are, at least 1
 * @returns the results in the order of the jobs
 * @throws what the first job throws, once all jobs have ended
 */
export async function runInSlots<Result>(
  limit: number,
  jobs: readonly SlotJob<Result>[],
): Promise<Result[]> {
  const started: Promise<Result>[] = [];
  const running = new Set<Promise<void>>();
  let free = limit;
  for (const { slots, run } of jobs) {
    const taken = Math.min(slots, limit);
    while (free < taken) await Promise.race(running);
    free -= taken;
    const result = run();
    started.push(result);
    const end = () => {
      free += taken;
      running.delete(ended);
    };
    const ended: Promise<void> = result.then(end, end);
    running.add(ended);
  }
  await Promise.allSettled(started);
  return await Promise.all(started);
}
