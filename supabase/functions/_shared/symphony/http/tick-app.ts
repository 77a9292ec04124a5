/** The edge function `tick`: handles due messages and schedules within the platform's limits. pg_cron calls it. */

import type { Hono } from "hono";
import { z } from "zod";
import type { Messenger } from "../messenger.ts";
import { ticking } from "../tracing/spans.ts";
import { createWorker, type MessengerWorker } from "../worker/create-worker.ts";
import { createApp } from "./app.ts";
import { inBackground } from "./background.ts";
import { readJson } from "./body.ts";
import { authenticate } from "./caller.ts";

const tickBody = z.strictObject({
  wait: z.boolean().default(true),
  queues: z.array(z.string().min(1)).min(1).max(100).optional(),
  /** The id of the tick that the database asked for; absent for other callers. */
  tick: z.string().regex(/^\d{1,18}$/).optional(),
});
type TickBody = z.output<typeof tickBody>;

/** Makes the Hono app of `tick`: `POST /`. */
export function tickApp(messenger: Messenger): Hono {
  const { config, log, schema } = messenger;
  const app = createApp("tick", { maxBodyBytes: config.maxBodyBytes, log, schema });
  const worker = createWorker(messenger);
  app.post("/", async (c) => {
    await authenticate(c.req.raw, "secret");
    const body = await readJson(c, () => tickBody);
    const ticked = ticking(() => tick(body, worker, messenger));
    if (body.wait) return c.json(await ticked);
    inBackground(ticked, log);
    return c.json({ accepted: true }, 202);
  });
  return app;
}

async function tick(
  { wait, queues, tick: id }: TickBody,
  worker: MessengerWorker,
  { config, log }: Messenger,
) {
  const startedAt = performance.now();
  const { schedules, messages } = await worker.tick({
    budgetMs: config.tickBudgetMs,
    maxMs: config.tickMaxMs,
    caller: wait ? "waits" : "left",
    ...(queues && { queues }),
    ...(id && { id }),
  });
  const durationMs = Math.round(performance.now() - startedAt);
  const report = { schedules, messages, durationMs };
  // Most ticks of a quiet project find nothing to do, and would fill the log.
  const { error, ...counts } = schedules;
  const isIdle = Object.values(counts).every((count) => count === 0) && messages.claimed === 0 &&
    !error;
  log[isIdle ? "debug" : "info"]("tick", report);
  log.flush?.();
  return report;
}
