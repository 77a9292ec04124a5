/** The messages of the benchmarks' functions. */

import { z } from "zod";
import { defineMessage } from "../../supabase/functions/_shared/symphony/index.ts";

export { schedules } from "./schedules.ts";

const Noop = defineMessage({
  type: "Noop",
  schema: z.object({ n: z.number().int(), text: z.string() }),
  access: "authenticated",
  handler: () => {},
});

/** Tells the benchmark when its handler started. */
const Probe = defineMessage({
  type: "Probe",
  schema: z.object({ n: z.number().int() }),
  handler: async ({ n }) => {
    const at = performance.timeOrigin + performance.now();
    const response = await fetch(Deno.env.get("BENCH_COLLECTOR_URL") ?? "", {
      method: "POST",
      body: JSON.stringify({ n, at }),
    });
    await response.body?.cancel();
  },
});

/** Every message of the benchmarks. */
export const messages = [Noop, Probe];
