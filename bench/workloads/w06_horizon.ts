/** W6: draining while a transaction holds the xmin horizon, so that vacuum cannot remove a row. */

import type { Agent } from "../harness/agent.ts";
import { drain, enqueue, warmUp } from "../harness/drain.ts";
import { whileHeld } from "../harness/horizon.ts";
import { type System, type SystemName, SYSTEMS } from "../harness/systems.ts";
import { turns } from "../harness/turns.ts";
import type { Sizes } from "../options.ts";
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

/** Messages a second in rounds of writing and draining, free and with the horizon held. */
export const w06: Workload = {
  id: "W6",
  title: "Drain with the xmin horizon held",
  async run(world) {
    const { options: { runs, sizes }, systems } = world;
    await using fleet = await startFleet(world);
    const rates = new Samples();
    const curves = new Map<string, number[][]>();
    const measure = async (name: SystemName, state: typeof STATES[number]) => {
      const rounds = () => runRounds(systems[name], fleet.agents[name][0], sizes);
      const perSecond = state === "held"
        ? await whileHeld(systems[name].sql, rounds)
        : await rounds();
      const label = `${name}, ${state}`;
      rates.add(`${label}, last round`, "messages/s", perSecond.at(-1) ?? NaN);
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
      notes: SYSTEMS.slice(1).map((name) =>
        `${name}, held : free: ${ratio(name).value.toFixed(2)}.`
      ),
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
    if (
      Deno.env.get("W6_SETTLE") === "all" ||
      Deno.env.get("W6_SETTLE") === "last" && round === ROUNDS_BEFORE
    ) await system.settle();
    const [a] = await system.sql.unsafe(
      "select sum(autovacuum_count)::int as n, sum(pg_relation_size(relid))/1e6 as mb from pg_stat_user_tables where relname in ('messenger_messages', '_private_jobs', 'job')",
    );
    perSecond.push((await drain(system, [agent], count)).perSecond);
    const [b] = await system.sql.unsafe(
      "select sum(autovacuum_count)::int as n, sum(pg_relation_size(relid))/1e6 as mb from pg_stat_user_tables where relname in ('messenger_messages', '_private_jobs', 'job')",
    );
    if (Deno.env.get("W6_SETTLE")) {
      console.log(system.name, round, Math.round(perSecond.at(-1) ?? 0), JSON.stringify([a, b]));
    }
  }
  return perSecond;
}
