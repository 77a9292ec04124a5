/** W14: the cold start of each function beside a bare one, and the CPU of a warm dispatch. */

import { cpuOf } from "../harness/cpu.ts";
import {
  ask,
  type ColdFunction,
  entrypointOf,
  type FunctionHost,
  prepareHost,
  startFunction,
} from "../harness/functions.ts";
import { modulesOf } from "../harness/modules.ts";
import { type Hosted, preparePackaged } from "../harness/packaged.ts";
import { turns } from "../harness/turns.ts";
import type { Sizes } from "../options.ts";
import { atMost } from "../report/result.ts";
import { Samples } from "../report/samples.ts";
import type { Workload } from "./workload.ts";

const GOAL = 1.5;
const MESSAGE = JSON.stringify({ type: "Noop", payload: { n: 0, text: "no-op" } });

/** Imports hono, zod and supabase-js alone; it checks the message and inserts its row. */
const BARE: ColdFunction = {
  name: "bare",
  entrypoint: new URL("../functions/bare/index.ts", import.meta.url).pathname,
  method: "POST",
  body: MESSAGE,
  status: 202,
};
const DISPATCH: ColdFunction = {
  name: "dispatch",
  entrypoint: entrypointOf("dispatch"),
  method: "POST",
  body: MESSAGE,
  status: 202,
};
const TICK: ColdFunction = {
  name: "tick",
  entrypoint: entrypointOf("tick"),
  method: "POST",
  body: JSON.stringify({ wait: false }),
  status: 202,
};
const MESSENGER: ColdFunction = {
  name: "messenger",
  entrypoint: entrypointOf("messenger"),
  method: "GET",
  path: "/queues",
  status: 200,
};
const DOORS = { dispatch: DISPATCH, tick: TICK, messenger: MESSENGER };

/** Modules, ms from the start of a process to its first answer, CPU of a warm dispatch. */
export const w14: Workload = {
  id: "W14",
  title: "Cold start of the functions",
  async run(world) {
    const { options: { runs, sizes }, systems: { ours } } = world;
    const folder = await Deno.makeTempDir({ prefix: "symphony-bench-" });
    try {
      const host = await prepareHost(world, folder);
      await ours.clear();
      const packaged = await preparePackaged(host, DOORS, await Deno.makeTempDir({ dir: folder }));
      const functions: readonly Hosted[] = [
        ...[BARE, ...Object.values(DOORS)].map((asked) => ({ asked, host })),
        ...packaged,
      ];
      const modules = await countModules(functions);
      const starts = await measureStarts(functions, sizes, ours.clear);
      const cpu = await measureWarm(host, runs, sizes.warmRequests, ours.clear);
      return {
        measurements: [starts, cpu, modules].flatMap(({ measurements }) => measurements),
        goals: packaged.map(({ asked }) =>
          atMost(
            `${labelOf(asked)} : bare, start to first answer`,
            starts.ratio(nameOf(asked), nameOf(BARE)),
            GOAL,
          )
        ),
        notes: NOTES,
      };
    } finally {
      await ours.clear();
      await Deno.remove(folder, { recursive: true });
    }
  },
};

const labelOf = ({ label, name }: ColdFunction) => label ?? name;
const nameOf = (asked: ColdFunction) => `${labelOf(asked)}: first answer`;

/** A fresh process of each function in each round. The first rounds fill the caches of the disk and of Deno. */
async function measureStarts(
  functions: readonly Hosted[],
  { unmeasuredStarts, starts }: Sizes,
  clear: () => Promise<void>,
): Promise<Samples> {
  const times = new Samples();
  for (let round = -unmeasuredStarts; round < starts; round++) {
    for (const { asked, host } of turns(functions, Math.abs(round))) {
      await using process = await startFunction(host, asked);
      await ask(host, process.url, asked);
      const answeredMs = process.sinceStart();
      if (round < 0) continue;
      times.add(nameOf(asked), "ms", answeredMs);
      times.add(`${labelOf(asked)}: loaded`, "ms", process.loadedMs);
    }
    await clear();
  }
  return times;
}

/** Requests to processes that run, one after the other: CPU time of the function's process alone. */
async function measureWarm(
  host: FunctionHost,
  rounds: number,
  requests: number,
  clear: () => Promise<void>,
): Promise<Samples> {
  const cpu = new Samples();
  await using dispatch = await startFunction(host, DISPATCH);
  await using bare = await startFunction(host, BARE);
  const pairs = [[DISPATCH, dispatch], [BARE, bare]] as const;
  for (let round = -1; round < rounds; round++) {
    for (const [asked, { pid, url }] of turns(pairs, Math.abs(round))) {
      const before = cpuOf(pid);
      for (let n = 0; n < requests; n++) await ask(host, url, asked);
      // The first requests compile.
      if (round < 0) continue;
      cpu.add(`${asked.name}: CPU of a warm request`, "ms", (cpuOf(pid) - before) / requests);
    }
    await clear();
  }
  return cpu;
}

async function countModules(functions: readonly Hosted[]): Promise<Samples> {
  const modules = new Samples();
  for (const { asked, host } of functions) {
    const { own, packages } = await modulesOf(host, asked);
    const label = labelOf(asked);
    modules.add(`${label}: own modules`, "modules", own.count);
    modules.add(`${label}: own source`, "KB", own.bytes / 1000);
    modules.add(`${label}: loaded modules of packages`, "modules", packages.count);
    modules.add(`${label}: loaded code of packages`, "KB", packages.bytes / 1000);
  }
  return modules;
}

const NOTES = [
  "A fresh process for each start, as the local stack starts a function; the disk's cache and Deno's " +
  "are warm. The bare function imports hono, zod and supabase-js alone, checks a message and inserts its " +
  "row. First answers: of bare and dispatch one message written, of tick `202` without waiting, of " +
  "messenger the list of queues. The functions take turns, so each ratio is of two starts a second " +
  "apart.",
  "The goal is for functions of the package, as users deploy them: they load the chunks that they run. From the " +
  "sources, Deno reads each of the project's files before it runs one, also those that only a later " +
  "import() would load: some 300; these are shown without a goal. A hosted function is loaded from a bundle, " +
  "so the package's ratio is nearest to it; the ms do not carry over.",
  "Own modules and source are those of `deno info --json`, messages included. It does not look into " +
  "packages: V8's debugger tells which of their files were loaded by the first answer.",
];
