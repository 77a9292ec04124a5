/** Makes the tables and the plots from the results that are there. */

import { withFigures } from "./embed.ts";
import { tables } from "./markdown.ts";
import { plots } from "./plots.ts";
import { readResults } from "./store.ts";

/**
 * Writes README.md beside the results, and an SVG for each plot.
 * @param page of the docs whose figures are to be replaced, if any
 */
export async function writeReport(
  folder: string,
  plotsFolder: string,
  page: string | undefined,
): Promise<void> {
  const results = await readResults(folder);
  await Deno.writeTextFile(`${folder}/README.md`, tables(results));
  await Deno.mkdir(plotsFolder, { recursive: true });
  for (const [name, svg] of plots(results)) {
    await Deno.writeTextFile(`${plotsFolder}/${name}.svg`, svg);
  }
  if (page !== undefined) {
    await Deno.writeTextFile(page, withFigures(await Deno.readTextFile(page), results));
  }
}
