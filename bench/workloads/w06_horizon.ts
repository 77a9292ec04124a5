/** W6: draining while a transaction holds the xmin horizon, so that vacuum cannot remove a row. */

import type { Agent } from "../harness/agent.ts";
import { drain, enqueue } from "../harness/drain.ts";
import { whileHeld } from "../harness/horizon.ts";
import { type System, SYSTEMS } from "../harness/systems.ts";
import type { Sizes } from "../options.ts";
import { atLeast, type Series, Tally } from "../report/result.ts";
import { median } from "../report/stats.ts";
import { startFleet } from "./fleet.ts";
import type { Workload } from "./workload.ts";

/** So many rounds, 200,000 messages, come before the last one, which is as long as the drain of W2. */
const ROUNDS_BEFORE = 4;

/** Messages a second in rounds of writing and draining, free and with the horizon held. */
export const w06: Workload = {
  id: "W6",
  title: "Drain with the xmin horizon held",
  async run(world) {
    const { options: { runs, sizes }, systems } = world;
    await using fleet = await startFleet(world);
    const rates = new Tally();
    const curves = new Map<string, number[][]>();
    for (let run = 0; run < runs; run++) {
      for (const name of SYSTEMS) {
        // The goal is ours; a single run of each peer shows what it is up against.
        if (name !== "ours" && run > 0) continue;
        const [agent] = fleet.agents[name];
        const system = systems[name];
        const rounds = () => runRounds(system, agent, sizes);
        // Neither always comes second.
        const states = ["free", "held"] as const;
        for (const state of run % 2 === 0 ? states : states.toReversed()) {
          const perSecond = state === "held" ? await whileHeld(system.sql, rounds) : await rounds();
          const label = `${name}, ${state}`;
          rates.add(`${label}, last round`, "messages/s", perSecond.at(-1) ?? NaN);
          curves.set(label, [...curves.get(label) ?? [], perSecond]);
        }
        await system.clear();
      }
    }
    const ratio = (name: string) =>
      rates.median(`${name}, held, last round`) / rates.median(`${name}, free, last round`);
    return {
      measurements: rates.measurements,
      goals: [atLeast("ours, held : free", ratio("ours"), 0.9)],
      series: [...curves].map(([name, runs]): Series => ({
        plot: "horizon",
        name,
        points: Array.from({ length: ROUNDS_BEFORE + 1 }, (_, round) => [
          round * sizes.round,
          median(runs.map((rates) => rates[round] ?? NaN)),
        ]),
      })),
      notes: SYSTEMS.slice(1).map((name) => `${name}, held : free: ${ratio(name).toFixed(2)}.`),
    };
  },
};

async function runRounds(
  system: System,
  agent: Agent,
  sizes: Sizes,
): Promise<number[]> {
  await system.clear();
  await system.settle();
  const perSecond: number[] = [];
  for (let round = 0; round <= ROUNDS_BEFORE; round++) {
    const count = round < ROUNDS_BEFORE ? sizes.round : sizes.messages;
    await enqueue(agent, count);
    perSecond.push((await drain(system, [agent], count)).perSecond);
  }
  return perSecond;
}
