/** W5: how long after its dispatch a message's handler starts, when nothing else is going on. */

import { startPgNet } from "../../local/pg_net.ts";
import type { World } from "../harness/world.ts";
import { atMost, Tally } from "../report/result.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const POLL_MS = 5;
const REST_MS = 50;
const LOST_AFTER_MS = 30_000;

/** Percentiles from before the dispatch to the first line of the handler in the tick function. */
export const w05: Workload = {
  id: "W5",
  title: "Dispatch to handler start, idle",
  async run(world) {
    const { options: { sizes }, stack, systems: { ours } } = world;
    await ours.clear();
    const net = await startPgNet(stack.adminDbUrl);
    const times = new Tally();
    try {
      const ways: Record<string, (n: number) => Promise<unknown>> = {
        "dispatched in SQL": (n) =>
          ours.sql`select public.messenger_dispatch('Probe', ${ours.sql.json({ n })})`,
        "dispatched over HTTP": (n) => post(world, n),
      };
      let n = 0;
      for (const [name, dispatch] of Object.entries(ways)) {
        const samples: number[] = [];
        // The first starts the functions' processes.
        for (let sample = -1; sample < sizes.samples; sample++) {
          await untilIdle(world);
          const before = performance.timeOrigin + performance.now();
          await dispatch(++n);
          const startedAt = await withDeadline(world.collector.started(n), n);
          if (sample >= 0) samples.push(startedAt - before);
        }
        for (const percent of [50, 90, 99]) {
          times.add(`${name}, ${percent}th percentile`, "ms", percentile(samples, percent));
        }
      }
      await untilIdle(world);
    } finally {
      await net.stop();
    }
    return {
      measurements: times.measurements,
      goals: [
        atMost("in SQL, p50 in ms", times.median("dispatched in SQL, 50th percentile"), 50),
        atMost("in SQL, p99 in ms", times.median("dispatched in SQL, 99th percentile"), 250),
        atMost("over HTTP, p50 in ms", times.median("dispatched over HTTP, 50th percentile"), 50),
        atMost("over HTTP, p99 in ms", times.median("dispatched over HTTP, 99th percentile"), 250),
      ],
      notes: [
        `${sizes.samples} samples each, through commit, the stand-in for pg_net, and a tick ` +
        "function whose process runs already; a hosted function may have to be started first.",
      ],
    };
  },
};

async function post({ stack }: World, n: number): Promise<void> {
  const response = await fetch(`${stack.url}/functions/v1/dispatch`, {
    method: "POST",
    headers: { "content-type": "application/json", apikey: stack.secretKey },
    body: JSON.stringify({ type: "Probe", payload: { n } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
}

/** Waits until no message is left and no tick runs, and a moment longer. */
async function untilIdle({ systems: { ours } }: World): Promise<void> {
  for (;;) {
    const [row] = await ours.sql<{ idle: boolean }[]>`
      select not exists (select from public.messenger_messages)
        and not exists (select from public.messenger_ticks where ended_at is null) as idle`;
    if (row?.idle) break;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await new Promise((resolve) => setTimeout(resolve, REST_MS * (1 + Math.random())));
}

async function withDeadline(started: Promise<number>, n: number): Promise<number> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`message ${n} was not handled`)), LOST_AFTER_MS);
  });
  return await Promise.race([started, late]).finally(() => clearTimeout(timer));
}
