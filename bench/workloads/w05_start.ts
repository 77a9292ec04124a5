/** W5: how long after its dispatch a message's handler starts: after idleness, at steady rates, in bursts. */

import { startPgNet } from "../../local/pg_net.ts";
import { now, startOf, untilIdle, WAYS } from "../harness/probes.ts";
import type { World } from "../harness/world.ts";
import { atMost, type Goal } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { percentile } from "../report/stats.ts";
import type { Workload } from "./workload.ts";

const BURST = 20;
const BURST_INTERVAL_MS = 1_000;
const P50_GOAL_MS = 50;
const P99_GOAL_MS = 250;

/** Percentiles from before the dispatch to the first line of the handler in the tick function. */
export const w05: Workload = {
  id: "W5",
  title: "Dispatch to handler start",
  async run(world) {
    const { options: { sizes }, stack, systems: { ours } } = world;
    await ours.clear();
    const net = await startPgNet(stack.adminDbUrl);
    const times = new Samples();
    const goals: Goal[] = [];
    const tell = (name: string, samples: readonly number[]) => {
      for (const percent of [50, 90, 99]) {
        times.add(`${name}, ${percent}th percentile`, "ms", percentile(samples, percent));
      }
      goals.push(
        atMost(`${name}, p50 in ms`, percentile(samples, 50), P50_GOAL_MS),
        atMost(`${name}, p99 in ms`, percentile(samples, 99), P99_GOAL_MS),
      );
    };
    try {
      const count = counter();
      for (const [name, dispatch] of Object.entries(WAYS)) {
        const sample = async () => {
          const n = count();
          const before = now();
          await dispatch(world, n);
          return await startOf(world, n) - before;
        };
        tell(`dispatched ${name}`, await afterIdleness(world, sizes.samples, sample));
        for (const everyMs of sizes.rates) {
          await untilIdle(world);
          const samples = await steadily(everyMs, sizes.steady, sample);
          tell(`${name}, one every ${everyMs / 1_000} s`, samples);
        }
        await untilIdle(world);
        const bursts = Math.ceil(sizes.steady / 4);
        const burst = () => Promise.all(Array.from({ length: BURST }, sample));
        tell(
          `${name}, bursts of ${BURST} every ${BURST_INTERVAL_MS / 1_000} s`,
          (await steadily(BURST_INTERVAL_MS, bursts, burst)).flat(),
        );
      }
      await untilIdle(world);
    } finally {
      await net.stop();
    }
    return {
      measurements: times.measurements,
      goals,
      notes: [
        `${sizes.samples} samples each after idleness, ${sizes.steady} at each rate, through commit, the ` +
        "stand-in for pg_net (which pauses as the real one does), and a tick function whose process runs " +
        "already; a hosted function may have to be started first.",
      ],
    };
  },
};

function counter(): () => number {
  let n = 0;
  return () => ++n;
}

async function afterIdleness(
  world: World,
  samples: number,
  sample: () => Promise<number>,
): Promise<number[]> {
  const taken: number[] = [];
  // The first starts the functions' processes.
  for (let n = -1; n < samples; n++) {
    await untilIdle(world);
    const ms = await sample();
    if (n >= 0) taken.push(ms);
  }
  return taken;
}

/** Takes samples at a steady rate, whether those before are done or not. */
async function steadily<T>(everyMs: number, count: number, sample: () => Promise<T>): Promise<T[]> {
  const taken: Promise<T>[] = [];
  for (let n = 0; n < count; n++) {
    taken.push(sample());
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  return await Promise.all(taken);
}
