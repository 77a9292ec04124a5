/** W1: writing messages by thousands, one client. */

import type { Agent } from "../harness/agent.ts";
import { enqueue } from "../harness/drain.ts";
import { type SubjectName, type System, SYSTEMS } from "../harness/systems.ts";
import { turns } from "../harness/turns.ts";
import { measureWaits } from "../harness/waits.ts";
import type { World } from "../harness/world.ts";
import { atLeast } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import { startFleet } from "./fleet.ts";
import type { Workload } from "./workload.ts";

/** Rounds that a run is cut into: the systems take turns every few hundred milliseconds. */
const ROUNDS = 4;
const SUBJECTS: readonly SubjectName[] = [...SYSTEMS, "floor"];

/** Ours goes through the bus (zod, envelope) and PostgREST; the peers and the floor connect to Postgres. */
export const w01: Workload = {
  id: "W1",
  title: "Enqueue by 1,000",
  async run(world) {
    const { options, systems } = world;
    await using fleet = await startFleet(world);
    await using floor = await systems.floor.agent();
    const agentOf = (name: SubjectName) => name === "floor" ? floor : fleet.agents[name][0];
    const rates = new Samples();
    const costs = new Samples();
    const { messages } = options.sizes;
    for (let run = 0; run < options.runs; run++) {
      const spent = new Map(SUBJECTS.map((name) => [name, new Spent()]));
      for (let round = 0; round < ROUNDS; round++) {
        for (const name of turns(SUBJECTS, round)) {
          const count = Math.ceil(messages / ROUNDS);
          const rate = await writeOnce(world, systems[name], agentOf(name), count, spent.get(name));
          rates.add(name, "messages/s", rate);
        }
      }
      for (const [name, { of }] of spent) {
        for (const [part, ms] of Object.entries(of)) {
          if (part === "PostgREST" && name !== "ours") continue;
          costs.add(`${name}: ${part}`, "ms per 1,000", ms * 1000 / messages);
        }
      }
      for (const peer of SYSTEMS.slice(1)) {
        const ratio = cpuMs(spent.get(peer)) / cpuMs(spent.get("ours"));
        costs.add(`ours : ${peer}, by CPU time`, "ratio", ratio);
      }
      const { roundTrip, commit, postgrest } = await measureWaits(world);
      costs.add("machine: round trip to Postgres", "ms", roundTrip);
      costs.add("machine: round trip and commit", "ms", commit);
      costs.add("machine: round trip through PostgREST", "ms", postgrest);
    }
    const shares = new Samples();
    for (const share of rates.ratio("ours", "floor").values) {
      shares.add("ours : floor", "share", share);
    }
    return {
      measurements: [...rates.measurements, ...shares.measurements, ...costs.measurements],
      goals: [
        atLeast("ours : graphile-worker", rates.ratio("ours", "graphile-worker"), 1.2),
        atLeast("ours : pg-boss", rates.ratio("ours", "pg-boss"), 2),
      ],
      notes: [NOTE],
    };
  },
};

/** Time of the rounds of a run in ms, by the process that took it. */
class Spent {
  readonly of = { client: 0, Postgres: 0, PostgREST: 0, waiting: 0 };
}

function cpuMs({ of: { client, Postgres, PostgREST } } = new Spent()): number {
  return client + Postgres + PostgREST;
}

/** Writes `count` messages into an empty table. @returns messages a second */
async function writeOnce(
  world: World,
  system: System,
  agent: Agent,
  count: number,
  { of: spent } = new Spent(),
): Promise<number> {
  // A process that has rested is slow at first: it does its work once, unmeasured.
  await enqueue(agent, count);
  await system.clear();
  await system.settle();
  const before = world.cpu();
  const { perSecond, tookMs, cpuMs } = await enqueue(agent, count);
  const after = world.cpu();
  const written = await system.count();
  if (written !== count) throw new Error(`${system.name} wrote ${written} of ${count}`);
  await system.clear();
  const postgres = after.postgres - before.postgres;
  const postgrest = system.name === "ours" ? after.postgrest - before.postgrest : 0;
  spent.client += cpuMs;
  spent.Postgres += postgres;
  spent.PostgREST += postgrest;
  spent.waiting += tookMs - cpuMs - postgres - postgrest;
  return perSecond;
}

const NOTE =
  "Ours: `bus.dispatchAll` (zod, envelope, `SupabaseTransport.send`) through PostgREST. " +
  "Peers: `addJobs` and `insert` on a connection to Postgres. Floor: the same rows from JSON by one " +
  "`insert` statement of 1,000 on a connection to Postgres, into a table with a primary key and the " +
  "index of a claim. One call follows the other, so the time of 1,000 messages is the sum of the CPU " +
  "time of client, Postgres and PostgREST and of the waiting between them: round trips, and the disk " +
  "at the commit.";
