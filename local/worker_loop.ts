// What the stand-ins' workers share: a loop that runs until it is stopped and outlives errors of the
// database, as a background worker that Postgres restarts does.

/** A loop in the background. */
export interface WorkerLoop {
  /** Lets the loop go on at once instead of waiting. */
  wake(): void;
  /** Ends the loop; resolves when its current round has ended. */
  stop(): Promise<void>;
}

/**
 * Calls `round` again and again. It answers how many ms to wait before the next call, at most
 * Infinity; `wake` cuts the wait short, also when it comes during the round. After an error the
 * loop waits a second, like Postgres before it restarts a background worker.
 */
export function startWorkerLoop(round: (signal: AbortSignal) => Promise<number>): WorkerLoop {
  const stopping = new AbortController();
  let wakeUp = Promise.withResolvers<void>();
  const wake = () => wakeUp.resolve();

  const run = async () => {
    while (!stopping.signal.aborted) {
      wakeUp = Promise.withResolvers<void>();
      const waitMs = await round(stopping.signal).catch(() => 1000);
      const timer = waitMs === Infinity ? undefined : setTimeout(wake, waitMs);
      await wakeUp.promise;
      clearTimeout(timer);
    }
  };
  const done = run();
  return {
    wake,
    async stop() {
      stopping.abort();
      wake();
      await done;
    },
  };
}
