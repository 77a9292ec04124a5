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

/** Fails a number of times, and does not heed its signal. */
const Flaky = defineMessage({
  type: "Flaky",
  schema: z.object({ failures: z.number() }),
  queue: "heavy",
  runsOn: "worker",
  retry: { maxRetries: 20, delay: 1, multiplier: 1 },
  handler: async (payload, ctx) => {
    await record(ctx, payload);
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (ctx.envelope.retryCount < payload.failures) throw new Error("not yet");
  },
});

/** Handled in batches. */
const Together = defineMessage({
  type: "Together",
  schema: z.object({ n: z.number() }),
  queue: "heavy",
  runsOn: "worker",
  retry: { maxRetries: 20, delay: 1, multiplier: 1 },
  batch: { size: 5 },
  handleBatch: async (messages, { supabase }) => {
    const effects = messages.map(({ envelope: { id, type }, attempt, payload }) => ({
      ...{ message_id: id, type, attempt, payload },
    }));
    const { error } = await supabase.from("test_effects").insert(effects);
    if (error) throw error;
    await new Promise((resolve) => setTimeout(resolve, 20));
  },
});

/** All of them. */
export const messages = [Note, Compute, Wait, Flaky, Together];
