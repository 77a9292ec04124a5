/** The heartbeat of the bus: authenticate, process what is due, answer. pg_cron calls it. */

import { createAdminClient } from "@supabase/server/core";
import { z } from "zod";
import { messages } from "../_messages/mod.ts";
import {
  authenticate,
  createApp,
  createMessenger,
  inBackground,
  readJson,
} from "../_shared/symphony/index.ts";

const { work, config, log } = createMessenger({ supabase: createAdminClient(), messages });
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

async function tick(queues: readonly string[] | undefined) {
  const startedAt = performance.now();
  const done = await work({ budgetMs: config.tickBudgetMs, ...(queues && { queues }) });
  const durationMs = Math.round(performance.now() - startedAt);
  const report = { schedules: { processed: 0 }, messages: done, durationMs };
  log.info("tick", report);
  return report;
}

export default { fetch: app.fetch };
