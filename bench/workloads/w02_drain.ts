/** W2: draining no-op messages with the whole worker, one process; each system in its best ways. */

import type { Variant } from "../agents/queue.ts";
import { BEST, DEFAULTS, drain, enqueue, warmUp } from "../harness/drain.ts";
import type { SystemName } from "../harness/systems.ts";
import { atLeast, Tally } from "../report/result.ts";
import { startFleet } from "./fleet.ts";
import type { Workload } from "./workload.ts";

const VARIANTS: readonly { name: string; system: SystemName; variant: Variant }[] = [
  { name: "ours", system: "ours", variant: BEST.ours },
  {
    name: "ours, default settings (500/10)",
    system: "ours",
    variant: DEFAULTS,
  },
  { name: "graphile-worker", system: "graphile-worker", variant: BEST["graphile-worker"] },
  {
    name: "graphile-worker, as in its own benchmark (500)",
    system: "graphile-worker",
    variant: { ...BEST["graphile-worker"], batchSize: 500 },
  },
  { name: "pg-boss", system: "pg-boss", variant: BEST["pg-boss"] },
  { name: "pg-boss by 500", system: "pg-boss", variant: { ...BEST["pg-boss"], batchSize: 500 } },
];

/** Messages handled and settled a second, and the worker's CPU for them. */
export const w02: Workload = {
  id: "W2",
  title: "Drain, one worker process",
  async run(world) {
    const { options: { runs, sizes }, systems } = world;
    await using fleet = await startFleet(world);
    const rates = new Tally();
    const cpu = new Tally();
    for (let run = 0; run < runs; run++) {
      for (const { name, system, variant } of VARIANTS) {
        const [agent] = fleet.agents[system];
        await warmUp(systems[system], [agent], sizes.messages, variant);
        await enqueue(agent, sizes.messages);
        await systems[system].settle();
        const before = world.cpu();
        const result = await drain(systems[system], [agent], sizes.messages, variant);
        rates.add(name, "messages/s", result.perSecond);
        const after = world.cpu();
        const per1000 = (cpuMs: number) => cpuMs * 1000 / sizes.messages;
        cpu.add(`${name}: worker`, "CPU ms per 1,000", result.cpuMsPer1000);
        cpu.add(
          `${name}: Postgres`,
          "CPU ms per 1,000",
          per1000(after.postgres - before.postgres),
        );
        if (system === "ours") {
          cpu.add(
            `${name}: PostgREST`,
            "CPU ms per 1,000",
            per1000(after.postgrest - before.postgrest),
          );
        }
      }
    }
    const best = (system: SystemName) =>
      Math.max(
        ...VARIANTS.filter((one) => one.system === system).map(({ name }) => rates.median(name)),
      );
    return {
      measurements: [...rates.measurements, ...cpu.measurements],
      goals: [
        atLeast(
          "ours : graphile-worker's best",
          rates.median("ours") / best("graphile-worker"),
          1.3,
        ),
        atLeast("ours : pg-boss's best", rates.median("ours") / best("pg-boss"), 2),
      ],
      notes: [
        "Ours: zod, envelope, handler, settle, through PostgREST; 4,000 held, 100 handlers at once. " +
        "graphile-worker: local queue 2,000, completions batched, 24 jobs at once. pg-boss: fetch and " +
        "complete by 2,000 in four loops. Each is at its fastest with these sizes, of those tried.",
      ],
    };
  },
};
