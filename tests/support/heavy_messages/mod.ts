/** Messages for tests of resident workers: some run there only. */

import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { Note, record } from "../messages/mod.ts";

/** Computes without a pause, as in an image's conversion. */
const Compute = defineMessage({
  type: "Compute",
  schema: z.object({ ms: z.number() }),
  queue: "heavy",
  runsOn: "worker",
  timeout: "1m",
  handler: async (payload, ctx) => {
    const until = performance.now() + payload.ms;
    while (performance.now() < until) { /* uses up CPU time */ }
    await record(ctx, payload);
  },
});

/** Waits, and stops when it is told to. */
const Wait = defineMessage({
  type: "Wait",
  schema: z.object({ ms: z.number() }),
  queue: "heavy",
  runsOn: "worker",
  timeout: "10m",
  retry: { maxRetries: 20, delay: 1, multiplier: 1 },
  handler: async (payload, ctx) => {
    await record(ctx, payload);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, payload.ms);
      ctx.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        reject(ctx.signal.reason);
      });
    });
  },
});

/** All of them. */
export const messages = [Note, Compute, Wait];
