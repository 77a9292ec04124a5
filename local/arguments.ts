// The command line of `deno task start`.
import { StackError } from "./errors.ts";

/** What the command line asks for. */
export interface Arguments {
  port: number;
  demo: boolean;
  reset: boolean;
  help: boolean;
}

/** The text of --help. */
export const USAGE =
  `Starts Symphony Messenger on this machine: Postgres, the Data API, the functions and a demo.

  npx -y deno@2 task start [options]

  --port <number>  port of the project's URL (54321)
  --no-demo        start without the demo
  --reset          begin with an empty database; the keys stay
  --help           show this text

Ctrl-C stops it. The database and the keys are kept in .local/ for the next start.`;

/** Reads the options. Throws a StackError that names an unknown one or a port that is none. */
export function parseArguments(args: readonly string[]): Arguments {
  const parsed: Arguments = { port: 54321, demo: true, reset: false, help: false };
  const rest = [...args];
  for (let option = rest.shift(); option !== undefined; option = rest.shift()) {
    if (option === "--no-demo") parsed.demo = false;
    else if (option === "--reset") parsed.reset = true;
    else if (option === "--help" || option === "-h") parsed.help = true;
    else if (option === "--port") parsed.port = parsePort(rest.shift() ?? "");
    else if (option.startsWith("--port=")) parsed.port = parsePort(option.slice("--port=".length));
    else throw new StackError(`unknown option ${option}: see --help`);
  }
  return parsed;
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port >= 1 && port <= 65535) return port;
  throw new StackError(`--port ${text}: must be a number from 1 to 65535`);
}
