/** Messages of any size, and handlers that do nothing but return or throw much. */

import { z } from "zod";
import {
  defineMessage,
  type MessageDefinition,
} from "../../../supabase/functions/_shared/symphony/index.ts";

export { schedules } from "./schedules.ts";

const Quiet = defineMessage({ type: "Quiet", schema: z.unknown(), handler: () => {} });

/** Its result is nearly as large as one may be. */
const Kept = defineMessage({
  type: "Kept",
  schema: z.unknown(),
  keep: { for: "1h", result: true },
  handler: () => crypto.randomUUID() + "x".repeat(250_000),
});

const fail = () => {
  throw new Error("m".repeat(2_000), { cause: new Error("c".repeat(4_000)) });
};

/** Thirty handlers fail with long errors. */
const Fails = defineMessage({
  type: "Fails",
  schema: z.unknown(),
  retry: { maxRetries: 0 },
  handler: Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`h${n}`, fail])),
});

/** It has 900 results of 4 kB, which compress well, and reads all of them again after a sleep. */
const Steps = defineMessage({
  type: "Steps",
  schema: z.unknown(),
  timeout: "60s",
  retry: { maxRetries: 0 },
  handler: async (_payload, ctx) => {
    for (let part = 0; part < 20; part++) {
      const steps = Array.from({ length: 45 }, (_, n) => `part ${part}: ${n}`);
      await Promise.all(steps.map((name) => ctx.step(name, () => name + "x".repeat(4_000))));
    }
    await ctx.sleep("1ms");
    await ctx.step("end", () => 1);
  },
});

export const messages: MessageDefinition[] = [Quiet, Kept, Fails, Steps];
