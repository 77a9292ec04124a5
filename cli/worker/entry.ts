/** The command line of Deno that runs the worker. */

import { argumentsOf } from "./program.ts";

/** The worker to run. */
export interface Entry {
  /** The project's folder. */
  readonly root: string;
  /** The module of the messages; by default the project's. */
  readonly messages: string | undefined;
  /** The configuration of Deno in a user's project; none by default. */
  readonly config?: string;
  /** Options of `runWorker`. */
  readonly options: Readonly<Record<string, unknown>>;
}

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
  const code = { RangeError: 2, TransportError: 1, OutdatedSchemaError: 1 }[error?.name];
  if (code === undefined) throw error;
  console.error("error: " + error.message);
  Deno.exit(code);
}
Deno.exit(0);
`;

/**
 * Makes the arguments for Deno.
 * @throws UsageError if the module of the messages, or the project's import map, is missing
 */
export function entryOf(entry: Entry): string[] {
  return argumentsOf({ ...entry, library: "edge", code: CODE });
}
