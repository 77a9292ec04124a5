/** Runs jobs side by side in a number of slots, so that the machine is busy until the last of them. */

/** Most later jobs that may start before one that waits for several slots, so that its first free slot is not idle. */
export const MOST_OVERTAKING = 5;

/** A job, and how many slots it takes while it runs. */
export interface SlotJob<Result> {
  /** A job that takes more than there are has all of them; one that takes none starts in its turn. */
  readonly slots: number;
  readonly run: () => Promise<Result>;
}

/**
 * Starts jobs in their order, each as soon as its slots are free. One that needs several slots is overtaken by a few
 * that need less, and then by no other: it would wait until the end.
 * @param limit how many slots there are, at least 1
 * @returns the results in the order of the jobs
 * @throws what the first job throws, once all jobs have ended
 */
export async function runInSlots<Result>(
  limit: number,
  jobs: readonly SlotJob<Result>[],
): Promise<Result[]> {
  const started = new Map<SlotJob<Result>, Promise<Result>>();
  const running = new Set<Promise<void>>();
  const waiting = [...jobs];
  let free = limit;
  let overtaking = 0;
  while (waiting.length > 0) {
    const place = waiting.findIndex(({ slots }, index) =>
      Math.min(slots, limit) <= free && (index === 0 || overtaking < MOST_OVERTAKING)
    );
    const [job] = place < 0 ? [] : waiting.splice(place, 1);
    if (!job) {
      await Promise.race(running);
      continue;
    }
    overtaking = place === 0 ? 0 : overtaking + 1;
    const taken = Math.min(job.slots, limit);
    free -= taken;
    const result = job.run();
    started.set(job, result);
    const end = () => {
      free += taken;
      running.delete(ended);
    };
    const ended: Promise<void> = result.then(end, end);
    running.add(ended);
  }
  await Promise.allSettled(started.values());
  return await Promise.all(jobs.flatMap((job) => started.get(job) ?? []));
}
