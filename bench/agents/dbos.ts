/** The agent of W15, DBOS: workflows whose steps it checkpoints over its own connections to Postgres. */

import { DBOS } from "@dbos-inc/dbos-sdk";
import { cpuSince, type StepsRun } from "./steps.ts";
import { type PeerConfig, serve } from "./serve.ts";

/** Connections of its pool: of 10, 20, 50 and 100 it was fastest with these. */
const CONNECTIONS = 20;

await serve<PeerConfig>(async ({ url }) => {
  let stepsDone = 0;
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: url,
    systemDatabasePoolSize: CONNECTIONS,
    logLevel: "error",
  });
  const stepped = DBOS.registerWorkflow(async (n: number, steps: number) => {
    for (let step = 0; step < steps; step++) {
      await DBOS.runStep(() => {
        stepsDone++;
        return Promise.resolve({ n, step });
      }, { name: "step" });
    }
  }, { name: "stepped" });
  await DBOS.launch();
  return {
    run: async ({ messages, steps, atOnce }: StepsRun) => {
      stepsDone = 0;
      const since = cpuSince();
      let next = 0;
      let finished = 0;
      const loop = async () => {
        while (next < messages) {
          const handle = await DBOS.startWorkflow(stepped)(next++, steps);
          await handle.getResult();
          finished++;
        }
      };
      await Promise.all(Array.from({ length: atOnce }, loop));
      return { ...since(), steps: stepsDone, finished };
    },
  };
});
