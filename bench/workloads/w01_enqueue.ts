/** W1: writing messages by thousands, one client. */

import { enqueue, warmUp } from "../harness/drain.ts";
import { SYSTEMS } from "../harness/systems.ts";
import { atLeast, Tally } from "../report/result.ts";
import { startFleet } from "./fleet.ts";
import type { Workload } from "./workload.ts";

/** Ours goes through the bus (zod, envelope) and PostgREST; the peers connect to Postgres. */
export const w01: Workload = {
  id: "W1",
  title: "Enqueue by 1,000",
  async run(world) {
    const { options, systems } = world;
    await using fleet = await startFleet(world);
    const rates = new Tally();
    const { messages } = options.sizes;
    for (let run = 0; run < options.runs; run++) {
      for (const name of SYSTEMS) {
        const { settle, count } = systems[name];
        const [agent] = fleet.agents[name];
        await warmUp(systems[name], [agent], messages);
        await settle();
        rates.add(name, "messages/s", await enqueue(agent, messages));
        const written = await count();
        if (written !== messages) throw new Error(`${name} wrote ${written} of ${messages}`);
      }
    }
    for (const name of SYSTEMS) await systems[name].clear();
    const ratio = (peer: string) => rates.median("ours") / rates.median(peer);
    return {
      measurements: rates.measurements,
      goals: [
        atLeast("ours : graphile-worker", ratio("graphile-worker"), 1.2),
        atLeast("ours : pg-boss", ratio("pg-boss"), 2),
      ],
      notes: [
        "Ours: `bus.dispatchAll` (zod, envelope, `SupabaseTransport.send`) through PostgREST. " +
        "Peers: `addJobs` and `insert` on a connection to Postgres.",
      ],
    };
  },
};
