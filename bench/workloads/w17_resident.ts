/** W17: how soon a resident worker starts a message after its commit, and what it costs while it is idle. */

import { entryOf } from "../../cli/worker/entry.ts";
import { cpuOf } from "../harness/cpu.ts";
import { now, startOf } from "../harness/probes.ts";
import type { World } from "../harness/world.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const QUEUE = "resident";
const START_GOAL_MS = 50;
/** Interval of the alternative that is measured beside the wait: short polls through PostgREST. */
const SHORT_POLL_MS = 40;
const ROOT = new URL("../../", import.meta.url).pathname;

/** Percentiles of the start, and CPU of an idle worker beside that of short polls. */
export const w17: Workload = {
  id: "W17",
  title: "A resident worker: start after the commit, and the cost of an idle one",
  async run(world) {
    const { options: { sizes: { latenessMs } }, systems: { ours } } = world;
    await ours.clear();
    await ours.sql`select public.messenger_run_on_workers(array[${QUEUE}])`;
    const times = new Samples();
    const idle = await cpuOver(world, latenessMs / 4, () => sleep(latenessMs / 4));
    const polled = await cpuOver(world, latenessMs / 4, () => shortPolls(world, latenessMs / 4));
    const worker = await startWorker(world);
    try {
      const before = cpuOf(worker.pid);
      const waiting = await cpuOver(world, latenessMs / 4, () => sleep(latenessMs / 4));
      const own = (cpuOf(worker.pid) - before) / (latenessMs / 4_000);
      const starts = await startsOf(world, Math.max(5, latenessMs / 400));
      for (const percent of [50, 99]) {
        times.add(
          `start after the commit, ${percent}th percentile`,
          "ms",
          percentile(starts, percent),
        );
      }
      for (const server of ["postgres", "postgrest"] as const) {
        times.add(`idle worker: CPU of ${server}`, "ms/s", waiting[server] - idle[server]);
        times.add(`short polls: CPU of ${server}`, "ms/s", polled[server] - idle[server]);
      }
      times.add("idle worker: its own CPU", "ms/s", own);
      return {
        measurements: times.measurements,
        goals: [
          atMost("p99 of the start in ms", percentile(starts, 99), START_GOAL_MS),
        ],
        notes: [
          "Messages dispatched in SQL one at a time, at random moments; from the return of the commit to the " +
          `handler's first line. CPU beyond that of a bus without a worker. Short polls: one call every ${SHORT_POLL_MS} ms, ` +
          "which finds messages later than the wait, whose polls are 5 to 25 ms apart.",
        ],
      };
    } finally {
      worker.kill("SIGTERM");
      await worker.status;
      await ours.clear();
    }
  },
};

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** CPU of the servers in ms a second, while something runs. */
async function cpuOver(world: World, ms: number, run: () => Promise<void>) {
  const before = world.cpu();
  await run();
  const after = world.cpu();
  return {
    postgres: (after.postgres - before.postgres) / (ms / 1_000),
    postgrest: (after.postgrest - before.postgrest) / (ms / 1_000),
  };
}

async function shortPolls({ stack }: World, ms: number): Promise<void> {
  const until = now() + ms;
  while (now() < until) {
    const startedAt = now();
    const response = await fetch(`${stack.url}/rest/v1/rpc/messenger_await_due`, {
      method: "POST",
      headers: { "content-type": "application/json", apikey: stack.secretKey },
      body: JSON.stringify({ queues: [QUEUE], wait_ms: 0 }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status} ${text}`);
    await sleep(Math.max(0, SHORT_POLL_MS - (now() - startedAt)));
  }
}

/** Starts a worker, and waits until it is registered. */
async function startWorker(
  { stack, collector, systems: { ours } }: World,
): Promise<Deno.ChildProcess> {
  const worker = new Deno.Command(Deno.execPath(), {
    args: entryOf({
      root: ROOT,
      messages: "bench/messages/mod.ts",
      options: { name: "bench", queues: [QUEUE], graceMs: 1_000 },
    }),
    env: {
      SUPABASE_URL: stack.url,
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: stack.secretKey }),
      BENCH_COLLECTOR_URL: collector.url,
      SYMPHONY_LOG_LEVEL: "error",
    },
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const deadline = now() + 30_000;
  for (;;) {
    const rows = await ours.sql`
      select from public.messenger_ticks where worker = 'bench' and ended_at is null`;
    if (rows.length > 0) return worker;
    if (now() > deadline) throw new Error("the worker did not start");
    await sleep(50);
  }
}

/** Ms from the commit to the handler, of messages at random moments. */
async function startsOf(world: World, count: number): Promise<number[]> {
  const { systems: { ours: { sql } } } = world;
  const taken: number[] = [];
  for (let index = 0; index < count; index++) {
    await sleep(100 + Math.random() * 100);
    const n = 3_000_000 + index;
    const started = startOf(world, n);
    await sql`
      select public.messenger_dispatch('Probe', ${sql.json({ n })}, queue => ${QUEUE})`;
    const committedAt = now();
    taken.push(await started - committedAt);
  }
  return taken;
}
