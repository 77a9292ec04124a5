// `deno task dev`: the local stack for developers. Functions restart when their code changes, and their
// logs are shown line by line.
import { DEV_USAGE, parseArguments } from "./arguments.ts";
import { startDevLoop } from "./dev_loop.ts";
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

async function main(args: readonly string[]): Promise<void> {
  const { port, reset, help, dataDir = DEFAULT_DATA_DIR } = parseArguments(args);
  if (help) return console.log(DEV_USAGE);
  await untilStopped(async (stopping) => {
    console.log("Starting the local stack ...");
    await using loop = await startDevLoop({
      stack: {
        ...{ port, reset, dataDir, limits: HOSTED_LIMITS, signal: stopping.signal },
        // Developers who read along want every line; a variable of the project's own wins.
        env: { SYMPHONY_LOG_LIMIT: "0", ...await readOwnVariables(OWN_VARIABLES) },
      },
      print: console.log,
      isTerminal: Deno.stdout.isTerminal() && !Deno.noColor,
    });
    using _folder = stopWithoutFolder(dataDir, stopping);
    await tellEnvironment(loop.stack, dataDir);
    await using _console = await serveOperatorsPage(loop.stack, dataDir);
    console.log("\nReady. Functions restart when their code changes. Ctrl-C stops the stack.\n");
    await untilAborted(new Promise<never>(() => {}), stopping.signal);
  });
}

await exitWith(() => main(Deno.args));
