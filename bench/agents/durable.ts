/** The agent of W15, ours: messages whose handlers make steps, through PostgREST. */

import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import { createMessenger, defineMessage } from "../../supabase/functions/_shared/symphony/index.ts";
import { readConfig } from "../../supabase/functions/_shared/symphony/runtime/config.ts";
import { createLogger } from "../../supabase/functions/_shared/symphony/runtime/log.ts";
import { createWorker } from "../../supabase/functions/_shared/symphony/worker/create-worker.ts";
import { cpuSince, type StepsRun } from "./steps.ts";
import { serve } from "./serve.ts";

/** Configuration of this agent: PostgREST itself, and a JWT of the service role. */
interface Config {
  readonly url: string;
  readonly key: string;
}

await serve<Config>(({ url, key }) => {
  const supabase = createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false },
    global: { fetch: (input, init) => fetch(String(input).replace("/rest/v1/", "/"), init) },
  });
  let stepsDone = 0;
  const Stepped = defineMessage({
    type: "Stepped",
    schema: z.object({ n: z.number().int(), steps: z.number().int() }),
    timeout: "10m",
    handler: async ({ n, steps }, ctx) => {
      for (let step = 0; step < steps; step++) {
        await ctx.step("step", () => {
          stepsDone++;
          return { n, step };
        });
      }
    },
  });
  return {
    run: async ({ messages, steps, atOnce }: StepsRun) => {
      const messenger = createMessenger({
        supabase,
        messages: [Stepped],
        config: {
          ...readConfig(() => undefined),
          workerBatchSize: 2 * atOnce,
          workerConcurrency: atOnce,
        },
        log: createLogger({ level: "error" }),
      });
      stepsDone = 0;
      const since = cpuSince();
      await messenger.bus.dispatchAll(
        Array.from({ length: messages }, (_, n) => ({ type: "Stepped", payload: { n, steps } })),
      );
      const { handled } = await createWorker(messenger).work({ budgetMs: 600_000, cpuMs: 0 });
      return { ...since(), steps: stepsDone, finished: handled };
    },
  };
});
