/** The heartbeat of the bus: authenticate, process what is due, answer. pg_cron calls it. */

import { createAdminClient } from "@supabase/server/core";
import { z } from "zod";
import { messages } from "../_messages/mod.ts";
import { schedules } from "../_messages/schedules.ts";
import {
  authenticate,
  createApp,
  createMessenger,
  inBackground,
  readJson,
} from "../_shared/symphony/index.ts";

const { runSchedules, work, config, log } = createMessenger({
  supabase: createAdminClient(),
  messages,
  schedules,
});
const app = createApp("tick", { maxBodyBytes: config.maxBodyBytes, log });

const tickBody = z.strictObject({
  wait: z.boolean().default(true),
  queues: z.array(z.string().min(1)).min(1).max(100).optional(),
});

app.post("/", async (c) => {
  await authenticate(c.req.raw, "secret");
  const { wait, queues } = await readJson(c, () => tickBody);
  const ticked = tick(queues);
  if (wait) return c.json(await ticked);
  inBackground(ticked, log);
  return c.json({ accepted: true }, 202);
});

/** Schedules and messages each have a third of the tick's time for themselves, whatever the others need. */
const SHARE = 1 / 3;

async function tick(queues: readonly string[] | undefined) {
  const startedAt = performance.now();
  const elapsedMs = () => Math.round(performance.now() - startedAt);
  const shareMs = config.tickBudgetMs * SHARE;
  const processed = await runSchedules({ budgetMs: shareMs });
  const budgetMs = Math.max(config.tickBudgetMs - elapsedMs(), shareMs);
  const done = await work({ budgetMs, ...(queues && { queues }) });
  const report = { schedules: processed, messages: done, durationMs: elapsedMs() };
  // Most ticks of a quiet project find nothing to do.
  const isIdle = processed.processed + done.claimed === 0 && !processed.error;
  log[isIdle ? "debug" : "info"]("tick", report);
  return report;
}

export default { fetch: app.fetch };
