/**
 * The operators' command, over the management API:
 *
 *   deno task messenger <command> [options]
 *
 * The project is the one of SUPABASE_URL and SUPABASE_SECRET_KEY.
 */

import { ApiError, createCall } from "./messenger/client.ts";
import { type Command, commands } from "./messenger/commands.ts";
import { type CommandLine, readCommandLine, UsageError } from "./messenger/options.ts";

const USAGE = `usage: deno task messenger <command> [--json]

  failed list      [--type T] [--queue Q] [--reason R] [--error TEXT] [--from TIME] [--until TIME]
  failed show      ID
  failed redrive   ID... | filters as above  [--per-second N] [--to-queue Q] [--max N] [--dry-run]
                   ID --payload JSON
  failed remove    ID... | filters as above  [--max N] [--dry-run]
  messages list    [--status pending|processing] [--type T] [--queue Q]
  messages show    ID
  messages cancel  ID... | [--type T] [--queue Q]  [--dry-run]
  queues list
  queues pause     NAME
  queues resume    NAME
  queues set       NAME [--concurrency N|none] [--group-concurrency N] [--rate-limit N|none]
                   [--rate-period-ms N] [--weight N] [--max-workers N] [--lease-ms N|none]
  schedules list   [--type T] [--name N]
  schedules show | resume | trigger | delete  ID
  schedules pause  ID [--reason TEXT]
  schedules preview  ID [--n N]
  actions
  health           [--max-tick-age 3m] [--max-ready-age 5m] [--max-dead-letters N]
  stats

Lists take --limit N (50) or --limit none.`;

/** What the process is to print, and its exit code. */
export interface Result {
  readonly out: string;
  readonly code: number;
}

/**
 * Runs one command line.
 * @param variable reads the environment
 * @throws UsageError, ApiError
 */
export async function run(
  args: readonly string[],
  variable: (name: string) => string | undefined,
): Promise<Result> {
  const line = readCommandLine(args);
  if (line.help || line.words.length === 0) return { out: USAGE, code: line.help ? 0 : 1 };
  const { command, words } = find(line);
  const required = (name: string) => {
    const value = variable(name);
    if (!value) throw new UsageError(`${name}: has to be set; the local stack writes .local/env`);
    return value;
  };
  const call = createCall(required("SUPABASE_URL"), required("SUPABASE_SECRET_KEY"));
  const { value, text, ok = true } = await command(call, line, words);
  return { out: line.json ? JSON.stringify(value, null, 2) : text, code: ok ? 0 : 1 };
}

function find({ words }: CommandLine): { command: Command; words: readonly string[] } {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command) return { command, words: words.slice(length) };
  }
  throw new UsageError(`${words.join(" ")}: there is no such command\n\n${USAGE}`);
}

if (import.meta.main) {
  try {
    const { out, code } = await run(Deno.args, (name) => Deno.env.get(name));
    console.log(out);
    Deno.exitCode = code;
  } catch (error) {
    const isKnown = error instanceof UsageError || error instanceof ApiError ||
      error instanceof TypeError;
    console.error(isKnown ? error.message : error);
    Deno.exitCode = 1;
  }
}
