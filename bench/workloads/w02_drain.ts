/** W2: draining no-op messages with the whole worker, one process; each system in its best ways. */

import type { Variant } from "../agents/queue.ts";
import { BEST, DEFAULTS, drain, enqueue, warmUp } from "../harness/drain.ts";
import type { SubjectName } from "../harness/systems.ts";
import { turns } from "../harness/turns.ts";
import { atLeast } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { startFleet } from "./fleet.ts";
import type { Workload } from "./workload.ts";

/** Rounds that a run is cut into. Shorter ones would measure how a drain ends. */
const ROUNDS = 2;

/** A system and a way in which it drains. */
interface Subject {
  readonly name: string;
  readonly system: SubjectName;
  readonly variant: Variant;
}

const OURS: Subject = { name: "ours", system: "ours", variant: BEST.ours };
const OURS_BY_DEFAULT: Subject = {
  name: "ours, default settings (500/10)",
  system: "ours",
  variant: DEFAULTS,
};
const floorBy = (batchSize: number) => `floor by ${batchSize}`;
const FLOORS = [4000, 2000, 500].map((batchSize): Subject => ({
  name: floorBy(batchSize),
  system: "floor",
  variant: { ...BEST.floor, batchSize },
}));
const SUBJECTS: readonly Subject[] = [
  OURS,
  OURS_BY_DEFAULT,
  { name: "graphile-worker", system: "graphile-worker", variant: BEST["graphile-worker"] },
  {
    name: "graphile-worker, as in its own benchmark (500)",
    system: "graphile-worker",
    variant: { ...BEST["graphile-worker"], batchSize: 500 },
  },
  { name: "pg-boss", system: "pg-boss", variant: BEST["pg-boss"] },
  { name: "pg-boss by 500", system: "pg-boss", variant: { ...BEST["pg-boss"], batchSize: 500 } },
  ...FLOORS,
];

/** Messages handled and settled a second, and the worker's CPU for them. */
export const w02: Workload = {
  id: "W2",
  title: "Drain, one worker process",
  async run(world) {
    const { options: { runs, sizes }, systems } = world;
    await using fleet = await startFleet(world);
    await using floor = await systems.floor.agent();
    const rates = new Samples();
    const cpu = new Samples();
    const count = Math.ceil(sizes.messages / ROUNDS);
    const measure = async ({ name, system, variant }: Subject) => {
      const agent = system === "floor" ? floor : fleet.agents[system][0];
      await warmUp(systems[system], [agent], count, variant);
      await enqueue(agent, count);
      await systems[system].settle();
      const before = world.cpu();
      const { perSecond, cpuMsPer1000 } = await drain(systems[system], [agent], count, variant);
      const after = world.cpu();
      rates.add(name, "messages/s", perSecond);
      const addCpu = (part: string, ms: number) =>
        cpu.add(`${name}: ${part}`, "CPU ms per 1,000", ms);
      addCpu("worker", cpuMsPer1000);
      addCpu("Postgres", (after.postgres - before.postgres) * 1000 / count);
      if (system !== "ours") return;
      addCpu("PostgREST", (after.postgrest - before.postgrest) * 1000 / count);
    };
    for (let round = 0; round < runs * ROUNDS; round++) {
      for (const subject of turns(SUBJECTS, round)) await measure(subject);
    }
    return {
      measurements: [...rates.measurements, ...shares(rates), ...cpu.measurements],
      goals: [
        atLeast("ours : graphile-worker's best", ratioToBest(rates, "graphile-worker"), 1.3),
        atLeast("ours : pg-boss's best", ratioToBest(rates, "pg-boss"), 2),
      ],
      notes: NOTES,
    };
  },
};

/** Ours beside that way of a peer whose median is the largest. */
function ratioToBest(rates: Samples, peer: SubjectName) {
  const names = SUBJECTS.filter(({ system }) => system === peer).map(({ name }) => name);
  const [best = peer] = names.toSorted((a, b) => rates.median(b) - rates.median(a));
  return rates.ratio(OURS.name, best);
}

/** Ours beside the floor of the same batch size. */
function shares(rates: Samples) {
  const found = new Samples();
  for (const { name, variant: { batchSize } } of [OURS, OURS_BY_DEFAULT]) {
    const floor = floorBy(batchSize);
    for (const share of rates.ratio(name, floor).values) {
      found.add(`${name} : ${floor}`, "share", share);
    }
  }
  return found.measurements;
}

const NOTES = [
  "Ours: zod, envelope, handler, settle, through PostgREST; 4,000 held, 100 handlers at once. " +
  "graphile-worker: local queue 2,000, completions batched, 24 jobs at once. pg-boss: fetch and " +
  "complete by 2,000 in four loops. Each is at its fastest with these sizes, of those tried.",
  "Floor: bare SQL on one direct connection locks and updates a batch with `skip locked`, returns its " +
  "payloads, and deletes it, one statement after the other. It has one statement on its way where " +
  "ours has up to three calls, so a share may exceed 1 where cores are idle.",
];
