/** Messages for tests of durable work: each start of a step is recorded in the table test_effects. */

import type { SupabaseClient } from "@supabase/supabase-js";
import { z } from "zod";
import { defineMessage } from "../../../supabase/functions/_shared/symphony/index.ts";
import { writeEffect } from "./effects.ts";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Waits until the test has let more than this many steps begin, by a row of the type `allowed`. */
async function allowed(supabase: SupabaseClient, steps: number): Promise<void> {
  for (;;) {
    const { data } = await supabase.from("test_effects").select("payload").eq("type", "allowed")
      .order("id", { ascending: false }).limit(1);
    if (data?.[0]?.payload.steps > steps) return;
    await pause(10);
  }
}

/**
 * A number of steps, one after the other; `before` is time without a step in each run, in ms. Where it is `gated`, each
 * step waits until the test allows it.
 */
export const Steps = defineMessage({
  type: "Steps",
  schema: z.object({
    steps: z.number(),
    ms: z.number(),
    before: z.number().default(0),
    gated: z.boolean().default(false),
  }),
  ttl: "1m", // its first step ends this
  retry: { maxRetries: 3, delay: 10, multiplier: 1 },
  handler: async ({ steps, ms, before, gated }, ctx) => {
    const { attempt, envelope: { id: message_id, type }, supabase } = ctx;
    await pause(before);
    const results: number[] = [];
    for (let n = 0; n < steps; n++) {
      if (gated) await allowed(supabase, n);
      results.push(
        await ctx.step("work", async ({ key }) => {
          await writeEffect(supabase, { message_id, type, attempt, payload: { n, key } });
          await pause(ms);
          return n;
        }),
      );
    }
    await writeEffect(supabase, { message_id, type: "done", attempt, payload: { results } });
  },
});

/** Keyed steps that run at once, each with a random latency. */
export const Parallel = defineMessage({
  type: "Parallel",
  schema: z.object({ steps: z.number(), ms: z.number() }),
  retry: { maxRetries: 3, delay: 10, multiplier: 1 },
  handler: async ({ steps, ms }, ctx) => {
    const { attempt, envelope: { id: message_id, type }, supabase } = ctx;
    const results = await Promise.all(
      Array.from({ length: steps }, (_, n) =>
        ctx.step("part", async ({ key }) => {
          await writeEffect(supabase, { message_id, type, attempt, payload: { n, key } });
          await pause(Math.random() * ms);
          return n;
        }, { key: `item ${n}` })),
    );
    await writeEffect(supabase, { message_id, type: "done", attempt, payload: { results } });
  },
});

/** Sleeps for a day. */
export const Sleeper = defineMessage({
  type: "Sleeper",
  schema: z.object({}),
  queue: "sleepers",
  handler: (_payload, ctx) => ctx.sleep("1d"),
});

/** Its payment fails for good, and what was booked before is cancelled; each part is recorded. */
export const Booking = defineMessage({
  type: "Booking",
  schema: z.object({ ms: z.number() }),
  retry: { maxRetries: 3, delay: 10, multiplier: 1 },
  handler: async ({ ms }, ctx) => {
    const { attempt, envelope: { id: message_id }, supabase } = ctx;
    const part = (type: string, fails: boolean) =>
      ctx.step(type, async ({ key }) => {
        await writeEffect(supabase, { message_id, type, attempt, payload: { key } });
        await pause(ms);
        if (fails) throw new Error("declined");
      }, { retry: { maxRetries: 1 } });
    await part("book", false);
    try {
      await part("pay", true);
    } catch {
      await part("cancel", false);
    }
  },
});

/** Dispatches a batch of this many rows, which are due in a day; each thousand takes some ms. Records the batch's id. */
export const Import = defineMessage({
  type: "Import",
  schema: z.object({ rows: z.number(), ms: z.number() }),
  retry: { maxRetries: 3, delay: 10, multiplier: 1 },
  handler: async ({ rows, ms }, ctx) => {
    async function* members() {
      for (let n = 1; n <= rows; n++) {
        if (n % 1_000 === 0) await pause(ms);
        yield { type: "Sleeper", payload: {}, options: { delay: "1d" } } as const;
      }
    }
    const batch = await ctx.dispatchBatch(members(), { name: "import" });
    const { attempt, envelope: { id: message_id, type }, supabase } = ctx;
    await writeEffect(supabase, { message_id, type, attempt, payload: { batch } });
  },
});
