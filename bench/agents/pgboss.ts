/** The agent of pg-boss: loops that fetch a batch and complete it, which is its fastest way. */

import { type Job, PgBoss } from "pg-boss";
import { type OnHandled, type Queue, queueTasks } from "./queue.ts";
import { type PeerConfig, serve } from "./serve.ts";

const NAME = "noop";
const PAUSE_MS = 100;

interface Payload {
  n: number;
  text: string;
}

await serve<PeerConfig>(async ({ url, maintained = false }, emit) => {
  const boss = new PgBoss({ connectionString: url, supervise: maintained, schedule: maintained });
  boss.on("error", (error) => console.error(error));
  await boss.start();
  await boss.createQueue(NAME);
  const queue: Queue = {
    enqueue: async (numbers) => {
      await boss.insert(NAME, numbers.map((n) => ({ data: { n, text: "no-op" } })));
    },
    drain: ({ batchSize, concurrency, fetchers, handlerMs }, onHandled) => {
      const share = Math.ceil(concurrency / fetchers);
      let isStopping = false;
      const loop = async () => {
        while (!isStopping) {
          const jobs = await boss.fetch<Payload>(NAME, { batchSize });
          if (handlerMs !== undefined) await handleAtOnce(jobs, share, onHandled);
          else for (const { data } of jobs) onHandled(data.n);
          if (jobs.length > 0) await boss.complete(NAME, jobs.map(({ id }) => id));
          else await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        }
      };
      const loops = Promise.all(Array.from({ length: fetchers }, loop));
      return Promise.resolve({
        stop: async () => {
          isStopping = true;
          await loops;
        },
      });
    },
  };
  return {
    ...queueTasks(queue, emit),
    /** Waits for messages with its own worker, as a deployed one does. */
    idle: () => boss.work(NAME, () => Promise.resolve()),
  };
});

/** Handles jobs, `number` at a time. */
async function handleAtOnce(
  jobs: readonly Job<Payload>[],
  number: number,
  onHandled: OnHandled,
): Promise<void> {
  const left = jobs.values();
  const handler = async () => {
    for (const { data } of left) await onHandled(data.n);
  };
  await Promise.all(Array.from({ length: number }, handler));
}
