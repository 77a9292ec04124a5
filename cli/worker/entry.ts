/** The command line of Deno that runs the worker: the user's modules by their import map, and the library by it. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../errors.ts";
import { IMPORT_MAP, MESSAGES } from "../project/functions.ts";

/** The worker to run. */
export interface Entry {
  /** The project's folder. */
  readonly root: string;
  /** The module of the messages; by default the project's. */
  readonly messages: string | undefined;
  /** Options of `runWorker`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The library in a checkout of this project. */
const CHECKOUT = "supabase/functions/_shared/symphony/edge.ts";

// A parent that was killed passes no signal on, but its end of the pipe closes.
const CODE = `
const [library, project, options] = INPUT;
(async () => {
  for await (const _ of Deno.stdin.readable);
  Deno.kill(Deno.pid, "SIGTERM");
})();
const [{ runWorker }, messages] = await Promise.all([import(library), import(project)]);
try {
  await runWorker(messages, options);
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  console.error(error.message);
  Deno.exit(2);
}
Deno.exit(0);
`;

/**
 * Makes the arguments for Deno.
 * @throws UsageError if the module of the messages, or the project's import map, is missing
 */
export function entryOf({ root, messages, options }: Entry): string[] {
  const module = resolve(root, messages ?? join(MESSAGES, "mod.ts"));
  if (!existsSync(module)) throw new UsageError(`--messages: there is no ${module}`);
  const library = join(root, CHECKOUT);
  const isCheckout = existsSync(library);
  const importMap = join(root, IMPORT_MAP);
  if (!isCheckout && !existsSync(importMap)) {
    throw new UsageError(`${IMPORT_MAP}: is missing; run \`npx symphony-messenger init\` first`);
  }
  const input = [
    isCheckout ? pathToFileURL(library).href : "symphony-messenger/edge",
    pathToFileURL(module).href,
    options,
  ];
  const config = isCheckout
    ? ["--config", join(root, "deno.json")]
    // A package.json of the user's own has nothing to do with it.
    : ["--no-config", "--import-map", importMap, "--node-modules-dir=none"];
  return ["eval", "--quiet", ...config, CODE.replace("INPUT", JSON.stringify(input))];
}
