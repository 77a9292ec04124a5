/**
 * The operators' command, over the management API:
 *
 *   deno task messenger <command> [options]
 *
 * The project is the one of SUPABASE_URL and SUPABASE_SECRET_KEY.
 */

import { CommanderError } from "commander";
import { Context, type Io } from "./messenger/context.ts";
import { CommandError, describeFailure, EXIT, UsageError } from "./messenger/errors.ts";
import { createProgram } from "./messenger/program.ts";

/**
 * Runs one command line.
 * @returns the exit code; what goes wrong is written to stderr
 * @throws what is a fault of the command itself
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const context = new Context(io);
  const program = createProgram(context);
  try {
    if (args.length === 0) {
      program.outputHelp();
      return EXIT.usage;
    }
    await program.parseAsync([...args], { from: "user" });
    return context.exitCode;
  } catch (error) {
    const failure = toFailure(error);
    if (failure === null) return EXIT.ok;
    io.note(`${describeFailure(failure, args.includes("--json"))}\n`);
    return failure.exitCode;
  }
}

/** Null where commander has only said what it was asked for, such as help. */
function toFailure(error: unknown): CommandError | null {
  if (error instanceof CommandError) return error;
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return null;
  if (error.code === "commander.help") return new UsageError("give a command; --help lists them");
  return new UsageError(`${error.message.replace(/^error: /, "")}\n--help shows what it takes`);
}

if (import.meta.main) {
  const end = new AbortController();
  Deno.addSignalListener("SIGINT", () => {
    // The second one ends it at once.
    if (end.signal.aborted) Deno.exit(130);
    end.abort();
  });
  const columns = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : 0;
  const print = (text: string) => {
    const bytes = new TextEncoder().encode(`${text}\n`);
    try {
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    } catch (error) {
      // The reader, such as head, has all that it wants: `messages tail` would not end otherwise.
      if (error instanceof Deno.errors.BrokenPipe) Deno.exit(EXIT.ok);
      throw error;
    }
  };
  Deno.exitCode = await run(Deno.args, {
    variable: (name) => Deno.env.get(name),
    print,
    note: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
    input: () => new Response(Deno.stdin.readable).text(),
    // Some terminals say 0.
    columns: columns > 0 ? columns : undefined,
    showsProgress: Deno.stderr.isTerminal(),
    signal: end.signal,
    now: () => new Date(),
  });
}
