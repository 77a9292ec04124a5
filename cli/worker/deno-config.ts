/** The configuration of Deno for a worker of a user's project: none but what lets it take this package. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Newer Denos refuse releases of the last 24 hours. This one the user has installed, and the import map names it. */
const CONFIG = { minimumDependencyAge: { exclude: ["npm:symphony-messenger"] } };

/** Writes the configuration into a folder of its own, for as long as a worker runs. @param run gets the file's path */
export async function withDenoConfig<Result>(
  run: (file: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), "symphony-worker-"));
  try {
    const file = join(folder, "deno.json");
    await writeFile(file, JSON.stringify(CONFIG));
    return await run(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
