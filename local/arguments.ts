// The command lines of `deno task start` and `deno task dev`.
import { parseArgs } from "@std/cli/parse-args";
import { StackError } from "./errors.ts";

/** The options of the command line. */
export interface Arguments {
  port: number;
  demo: boolean;
  reset: boolean;
  /** Absent where it is to be the project's `.local`. */
  dataDir?: string;
  help: boolean;
}

/** The text of `deno task start --help`. */
export const START_USAGE =
  `Starts Symphony Messenger on this machine: Postgres, the Data API, the functions and a demo.

  npx -y deno@2 task start [options]

  --port <number>      port of the project's URL (54321)
  --no-demo            start without the demo
  --reset              begin with an empty database; the keys stay
  --data-dir <folder>  where database, keys and \`env\` are kept (.local)
  --help               show this text

Ctrl-C stops it. The database and the keys are kept for the next start.`;

/** The text of `deno task dev --help`. */
export const DEV_USAGE =
  `Starts Symphony Messenger on this machine, shows the logs of the functions, and starts the functions
again when a file below supabase/functions changes.

  npx -y deno@2 task dev [options]

  --port <number>      port of the project's URL (54321)
  --reset              begin with an empty database; the keys stay
  --data-dir <folder>  where database, keys and \`env\` are kept (.local)
  --help               show this text

A function that does not start answers 503 until a change mends it. Ctrl-C stops everything. The database
and the keys are kept for the next start.`;

/** Reads the options. Throws a StackError that names an unknown one or a port that is none. */
export function parseArguments(args: readonly string[]): Arguments {
  const { port, demo, reset, help, "data-dir": dataDir } = parseArgs(args, {
    string: ["port", "data-dir"],
    boolean: ["demo", "reset", "help"],
    negatable: ["demo"],
    alias: { help: "h" },
    default: { port: "54321", demo: true },
    unknown: (argument: string) => {
      throw new StackError(`unknown option ${argument}: see --help`);
    },
  });
  if (dataDir === "") throw new StackError("--data-dir: needs a folder");
  return { port: checkPort(port), demo, reset, help, ...(dataDir !== undefined && { dataDir }) };
}

function checkPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port >= 1 && port <= 65535) return port;
  throw new StackError(`--port ${text}: must be a number from 1 to 65535`);
}
