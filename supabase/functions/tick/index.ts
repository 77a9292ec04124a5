/** The heartbeat of the bus: authenticate, process what is due, answer. pg_cron calls it. */

import { createAdminClient } from "@supabase/server/core";
import { z } from "zod";
import { messages } from "../_messages/mod.ts";
import { schedules as declared } from "../_messages/schedules.ts";
import {
  authenticate,
  createApp,
  createMessenger,
  emptyReport,
  inBackground,
  readJson,
} from "../_shared/symphony/index.ts";

const { runSchedules, tick: runTick, config, log } = createMessenger({
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

/** Schedules and messages each have a third of the tick's time for themselves, whatever the others need. */
const SHARE = 1 / 3;

async function tick({ wait, queues, tick: id }: TickBody) {
  const startedAt = performance.now();
  const elapsedMs = () => Math.round(performance.now() - startedAt);
  const shareMs = config.tickBudgetMs * SHARE;
  // One that the database asked for is for messages; the minute's tick sees to the schedules.
  const { report: schedules } = id
    ? { report: emptyReport() }
    : await runSchedules({ budgetMs: shareMs });
  const budgetMs = Math.max(config.tickBudgetMs - elapsedMs(), shareMs);
  const done = await runTick({
    budgetMs,
    maxMs: config.tickMaxMs - elapsedMs(),
    caller: wait ? "waits" : "left",
    ...(queues && { queues }),
    ...(id && { id }),
  });
  const report = { schedules, messages: done, durationMs: elapsedMs() };
  // Most ticks of a quiet project find nothing to do.
  const { error, ...counts } = schedules;
  const isIdle = Object.values(counts).every((count) => count === 0) && done.claimed === 0 &&
    !error;
  log[isIdle ? "debug" : "info"]("tick", report);
  return report;
}

export default { fetch: app.fetch };
