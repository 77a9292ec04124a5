/** The heartbeat of the bus: authenticate, process what is due, answer. pg_cron calls it. */

import { createAdminClient } from "@supabase/server/core";
import { z } from "zod";
import { messages } from "../_messages/mod.ts";
import { schedules as declared } from "../_messages/schedules.ts";
import { createMessenger } from "../_shared/symphony/index.ts";
import { createApp } from "../_shared/symphony/http/app.ts";
import { inBackground } from "../_shared/symphony/http/background.ts";
import { readJson } from "../_shared/symphony/http/body.ts";
import { authenticate } from "../_shared/symphony/http/caller.ts";

const { tick: runTick, config, log } = createMessenger({
  supabase: createAdminClient(),
  messages,
  schedules: declared,
});
const app = createApp("tick", { maxBodyBytes: config.maxBodyBytes, log });

const tickBody = z.strictObject({
  wait: z.boolean().default(true),
  queues: z.array(z.string().min(1)).min(1).max(100).optional(),
  /** Its id, where the database asked for it. */
  tick: z.string().regex(/^\d{1,18}$/).optional(),
});
type TickBody = z.output<typeof tickBody>;

app.post("/", async (c) => {
  await authenticate(c.req.raw, "secret");
  const body = await readJson(c, () => tickBody);
  const ticked = tick(body);
  if (body.wait) return c.json(await ticked);
  inBackground(ticked, log);
  return c.json({ accepted: true }, 202);
});

async function tick({ wait, queues, tick: id }: TickBody) {
  const startedAt = performance.now();
  const { schedules, messages: done } = await runTick({
    budgetMs: config.tickBudgetMs,
    maxMs: config.tickMaxMs,
    caller: wait ? "waits" : "left",
    ...(queues && { queues }),
    ...(id && { id }),
  });
  const durationMs = Math.round(performance.now() - startedAt);
  const report = { schedules, messages: done, durationMs };
  // Most ticks of a quiet project find nothing to do.
  const { error, ...counts } = schedules;
  const isIdle = Object.values(counts).every((count) => count === 0) && done.claimed === 0 &&
    !error;
  log[isIdle ? "debug" : "info"]("tick", report);
  return report;
}

export default { fetch: app.fetch };
