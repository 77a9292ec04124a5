/** `deno task bench`: runs the workloads one after the other, and writes results, tables and plots. */

import { openWorld } from "./harness/world.ts";
import { parseOptions, USAGE } from "./options.ts";
import { spread } from "./report/markdown.ts";
import { writeReport } from "./report/report.ts";
import { type StoredResult, verdict } from "./report/result.ts";
import { storeResult } from "./report/store.ts";
import { WORKLOADS } from "./workloads/index.ts";

/** Returns the exit code: 1 where a workload broke; a goal that is missed is a result. */
async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const options = parseOptions(args);
  // A promise that a broken workload leaves behind must not end the others.
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    console.error(event.reason);
  });
  const wanted = WORKLOADS.filter(({ id }) => options.only?.includes(id) ?? true);
  let broken = 0;
  {
    await using world = await openWorld(options);
    console.log(`${world.machine.cpu}, Postgres ${world.machine.postgres}`);
    console.log(`Postgres comes from ${world.machine.postgresFrom}`);
    for (const { id, title, run } of wanted) {
      console.log(`${id} ${title} ...`);
      const startedAt = performance.now();
      const outcome = await run(world).catch((error: unknown) => ({ error: String(error) }));
      const result: StoredResult = {
        id,
        title,
        ...outcome,
        runs: options.runs,
        quick: options.quick,
        machine: world.machine,
        finishedAt: new Date().toISOString(),
        tookS: Math.round((performance.now() - startedAt) / 100) / 10,
      };
      await storeResult(options.out, result);
      await writeReport(options.out, options.plots, options.page);
      if (result.error !== undefined) broken++;
      tell(result);
    }
  }
  console.log(`results: ${options.out}, plots: ${options.plots}`);
  return broken > 0 ? 1 : 0;
}

function tell({ error, goals = [], tookS }: StoredResult): void {
  if (error !== undefined) console.log(`  broke after ${tookS} s: ${error}`);
  for (const goal of goals) {
    const sign = goal.atLeast ? ">=" : "<=";
    console.log(
      `  ${goal.text}: ${goal.value.toFixed(2)} (goal ${sign} ${goal.limit}: ${verdict(goal)})` +
        `  ${spread(goal)}`,
    );
  }
}

Deno.exit(await main(Deno.args));
