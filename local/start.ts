// `deno task start`: starts the local stack, tells where it is, runs the demo, serves the console and stays until Ctrl-C.
import { parseArguments, START_USAGE } from "./arguments.ts";
import { runDemo } from "./demo.ts";
import { readOwnVariables } from "./function_environment.ts";
import { HOSTED_LIMITS } from "./function_process.ts";
import { serveOperatorsPage } from "./operators_page.ts";
import {
  DEFAULT_DATA_DIR,
  exitWith,
  OWN_VARIABLES,
  stopWithoutFolder,
  tellEnvironment,
  untilAborted,
  untilStopped,
} from "./session.ts";
import { startStack } from "./stack.ts";

async function main(args: readonly string[]): Promise<void> {
  const { port, demo, reset, help, dataDir = DEFAULT_DATA_DIR } = parseArguments(args);
  if (help) return console.log(START_USAGE);
  await untilStopped(async (stopping) => {
    console.log("Starting the local stack ...");
    await using stack = await startStack({
      port,
      reset,
      dataDir,
      warmUp: true,
      limits: HOSTED_LIMITS,
      signal: stopping.signal,
      log: "inherit",
      env: await readOwnVariables(OWN_VARIABLES),
    });
    using _folder = stopWithoutFolder(dataDir, stopping);
    await tellEnvironment(stack, dataDir);
    if (demo) await untilAborted(runDemo(stack), stopping.signal);
    await using _console = await serveOperatorsPage(stack, dataDir);
    console.log("\nReady. Ctrl-C stops the stack.");
    await untilAborted(new Promise<never>(() => {}), stopping.signal);
  });
}

await exitWith(() => main(Deno.args));
