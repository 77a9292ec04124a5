/** W6: draining while a transaction holds the xmin horizon, so that vacuum cannot remove a row. */

import type { Agent } from "../harness/agent.ts";
import { drain, enqueue, warmUp } from "../harness/drain.ts";
import { whileHeld } from "../harness/horizon.ts";
import { type System, type SystemName, SYSTEMS } from "../harness/systems.ts";
import { turns } from "../harness/turns.ts";
import type { World } from "../harness/world.ts";
import { atLeast, type Series } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { median } from "../report/stats.ts";
import { startFleet } from "./fleet.ts";
import type { Workload } from "./workload.ts";

/** Rounds, of 200,000 messages in all, before the last one. */
const ROUNDS_BEFORE = 4;
/** Pairs of a free and a held state in each run; the peers have one pair in all. */
const PAIRS = 2;
const STATES = ["free", "held"] as const;

/** One system with the horizon free or held, in the last round and in those before it. */
interface Rounds {
  readonly perSecond: readonly number[];
  /** CPU time of Postgres in the last round, for 1,000 messages. */
  readonly cpuMs: number;
}

/** Messages a second in rounds of writing and draining, free and with the horizon held. */
export const w06: Workload = {
  id: "W6",
  title: "Drain with the xmin horizon held",
  async run(world) {
    const { options: { runs, sizes }, systems } = world;
    await using fleet = await startFleet(world);
    const rates = new Samples();
    const cpu = new Samples();
    const curves = new Map<string, (readonly number[])[]>();
    const measure = async (name: SystemName, state: typeof STATES[number]) => {
      const rounds = () => runRounds(world, systems[name], fleet.agents[name][0]);
      const { sql } = systems[name];
      const { perSecond, cpuMs } = await (state === "held" ? whileHeld(sql, rounds) : rounds());
      const label = `${name}, ${state}`;
      rates.add(`${label}, last round`, "messages/s", perSecond.at(-1) ?? NaN);
      cpu.add(`${label}, last round: Postgres`, "CPU ms per 1,000", cpuMs);
      curves.set(label, [...curves.get(label) ?? [], perSecond]);
    };
    for (const name of SYSTEMS) {
      // The goal is ours; a single pair of each peer shows what it is up against.
      const pairs = name === "ours" ? runs * PAIRS : 1;
      await warmUp(systems[name], [fleet.agents[name][0]], sizes.messages);
      for (let pair = 0; pair < pairs; pair++) {
        for (const state of turns(STATES, pair)) await measure(name, state);
      }
      await systems[name].clear();
    }
    const ratio = (name: string) =>
      rates.ratio(`${name}, held, last round`, `${name}, free, last round`);
    return {
      measurements: [...rates.measurements, ...cpu.measurements],
      goals: [atLeast("ours, held : free", ratio("ours"), 0.9)],
      series: [...curves].map(([name, runs]): Series => ({
        plot: "horizon",
        name,
        points: Array.from({ length: ROUNDS_BEFORE + 1 }, (_, round) => [
          round * sizes.round,
          median(runs.map((rates) => rates[round] ?? NaN)),
        ]),
      })),
      notes: [
        NOTE,
        ...SYSTEMS.slice(1).map((name) => `${name}, held : free: ${ratio(name).value.toFixed(2)}.`),
      ],
    };
  },
};

async function runRounds(world: World, system: System, agent: Agent): Promise<Rounds> {
  const { sizes } = world.options;
  await system.clear();
  await system.settle();
  const perSecond: number[] = [];
  for (let round = 0; round < ROUNDS_BEFORE; round++) {
    await enqueue(agent, sizes.round);
    perSecond.push((await drain(system, [agent], sizes.round)).perSecond);
  }
  await enqueue(agent, sizes.messages);
  // Autovacuum comes by once in some ten seconds. Left to it, chance decides whether the free state has been
  // vacuumed at all by now, and so whether the two states differ.
  await system.settle();
  const before = world.cpu().postgres;
  perSecond.push((await drain(system, [agent], sizes.messages)).perSecond);
  return { perSecond, cpuMs: (world.cpu().postgres - before) * 1000 / sizes.messages };
}

const NOTE =
  "Both states are filled, vacuumed, analyzed and written out before the last round, as before " +
  "the drain of W2: vacuum has removed the rows of the rounds before in the free state, and none in the held " +
  "one. Each pair of states is measured within some seconds.";
