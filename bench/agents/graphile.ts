/** The agent of graphile-worker: its local queue, with completions batched, as its own benchmark has it. */

import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { type Queue, queueTasks } from "./queue.ts";
import { type PeerConfig, serve } from "./serve.ts";

await serve<PeerConfig>(async ({ url }, emit) => {
  const logger = new Logger(() => () => {});
  const utils = await makeWorkerUtils({ connectionString: url, logger });
  await utils.migrate();
  const queue: Queue = {
    enqueue: async (numbers) => {
      await utils.addJobs(
        numbers.map((n) => ({ identifier: "noop", payload: { n, text: "no-op" } })),
      );
    },
    drain: async ({ batchSize, concurrency }, onHandled) => {
      const runner = await run({
        connectionString: url,
        logger,
        noHandleSignals: true,
        crontab: "",
        taskList: { noop: (payload) => onHandled((payload as { n: number }).n) },
        preset: {
          worker: {
            concurrentJobs: concurrency,
            maxPoolSize: concurrency + 2,
            localQueue: { size: batchSize },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
          },
        },
      });
      return { stop: () => runner.stop() };
    },
  };
  return queueTasks(queue, emit);
});
