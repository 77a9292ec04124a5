/** Results on disk: a file of JSON for each workload, so that a run of some leaves the others. */

import type { StoredResult } from "./result.ts";

/** Writes one workload's result. */
export async function storeResult(folder: string, result: StoredResult): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    `${folder}/${result.id}.json`,
    JSON.stringify(result, rounded, 1).replace(/\[[\s\d.,e-]*\]/g, onOneLine) + "\n",
  );
}

/** Reads the results there are, in the order of their numbers. */
export async function readResults(folder: string): Promise<StoredResult[]> {
  const results: StoredResult[] = [];
  for (const { name } of Deno.readDirSync(folder)) {
    if (!/^W\d+\.json$/.test(name)) continue;
    results.push(JSON.parse(await Deno.readTextFile(`${folder}/${name}`)));
  }
  return results.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
}

/** Five digits say more than the spread allows. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(5)) : value;
}

function onOneLine(numbers: string): string {
  return numbers.replace(/\s+/g, "").replaceAll(",", ", ");
}
