/** Makes the tables and the plots from the results that are there. */

import { tables } from "./markdown.ts";
import { plots } from "./plots.ts";
import { readResults } from "./store.ts";

/** Writes README.md beside the results, and an SVG for each plot. */
export async function writeReport(folder: string, plotsFolder: string): Promise<void> {
  const results = await readResults(folder);
  await Deno.writeTextFile(`${folder}/README.md`, tables(results));
  await Deno.mkdir(plotsFolder, { recursive: true });
  for (const [name, svg] of plots(results)) {
    await Deno.writeTextFile(`${plotsFolder}/${name}.svg`, svg);
  }
}
