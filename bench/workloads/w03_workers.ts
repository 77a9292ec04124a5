/** W3: the drain of W2 with several worker processes. */

import { machineBusyMs } from "../harness/cpu.ts";
import { BEST, drain, enqueue, warmUp } from "../harness/drain.ts";
import { SYSTEMS } from "../harness/systems.ts";
import { atLeast, Tally } from "../report/result.ts";
import { startFleet } from "./fleet.ts";
import type { Workload } from "./workload.ts";

/** Messages handled and settled a second by one process and by several, in the same minutes. */
export const w03: Workload = {
  id: "W3",
  title: "Drain, several worker processes",
  async run(world) {
    const { options: { runs, sizes }, systems } = world;
    await using fleet = await startFleet(world, sizes.workers);
    const rates = new Tally();
    const busy = new Tally();
    for (let run = 0; run < runs; run++) {
      for (const name of SYSTEMS) {
        const [first, ...others] = fleet.agents[name];
        const variant = { ...BEST[name], fetchers: 1 };
        for (const workers of name === "ours" ? [1, sizes.workers] : [sizes.workers]) {
          const agents = [first, ...others.slice(0, workers - 1)] as const;
          await warmUp(systems[name], agents, sizes.messages, variant);
          await enqueue(first, sizes.messages);
          await systems[name].settle();
          const before = machineBusyMs();
          const { perSecond, seconds } = await drain(
            systems[name],
            agents,
            sizes.messages,
            variant,
          );
          const who = `${name}, ${workers} ${workers === 1 ? "process" : "processes"}`;
          rates.add(who, "messages/s", perSecond);
          busy.add(`${who}: busy`, "cores", (machineBusyMs() - before) / 1000 / seconds);
        }
      }
    }
    const one = rates.median("ours, 1 process");
    const several = rates.median(`ours, ${sizes.workers} processes`);
    return {
      measurements: [...rates.measurements, ...busy.measurements],
      goals: [atLeast(`ours, ${sizes.workers} processes : 1`, several / one, 1.5)],
      notes: [
        `The goal holds until the machine's ${world.machine.cores} cores are full: one worker, ` +
        "PostgREST and Postgres already share them, as the busy cores show.",
      ],
    };
  },
};
