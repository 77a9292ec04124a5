/**
 * The command of the package, on Node and on Deno:
 *
 *   npx symphony-messenger <command> [options]
 *   deno task messenger <command> [options]      in a checkout
 *
 * A folder below this one has a command, or commands that belong together. `addX` in its `command.ts` adds them
 * to the program; what a command needs much of is imported when it runs.
 */

import process from "node:process";
import { Command, CommanderError } from "commander";
import { addPlan } from "./capacity/command.ts";
import { addConsole } from "./console/command.ts";
import { addDoctor } from "./doctor/command.ts";
import { CommandError, describeFailure, EXIT, UsageError } from "./errors.ts";
import { addInit } from "./init/command.ts";
import { addMessenger } from "./messenger/command.ts";
import { Context, type Io } from "./messenger/context.ts";
import { processIo } from "./process.ts";
import { addTypes } from "./types/command.ts";
import { addUninstall } from "./uninstall/command.ts";
import { addUpgrade } from "./upgrade/command.ts";
import { addWorker } from "./worker/command.ts";
import { VERSION } from "./version.ts";

const HELP = `
The commands of operators reach the project of SUPABASE_URL and SUPABASE_SECRET_KEY.

Times: 2026-11-22, 2026-11-22T10:00:00Z, 2h, "2h ago", "in 5m", yesterday (UTC where no zone is given).
Exit codes: 0 done; 1 not healthy, nothing was done, or not there; 2 usage; 3 no connection; 4 key refused;
5 it does not go with the present state; 6 the output cannot be written; 130 interrupted.`;

/** Makes the program; what it is told writes to the context's streams and ends nothing. */
function createProgram(context: Context): Command {
  const program = new Command("symphony-messenger")
    .description("Symphony Messenger: operates the message bus of a Supabase project.")
    .version(VERSION, "-V, --version", "the version")
    .helpOption("-h, --help", "help for a command")
    .addHelpText("after", HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.io.print(text.trimEnd()),
      // Errors are written where the command ends, as text or JSON.
      writeErr: () => {},
      getOutHelpWidth: () => context.io.columns ?? 100,
      getErrHelpWidth: () => context.io.columns ?? 100,
    });
  addInit(program, context);
  addUpgrade(program, context);
  addWorker(program, context);
  addTypes(program, context);
  addUninstall(program, context);
  addMessenger(program, context);
  addDoctor(program, context);
  addConsole(program, context);
  addPlan(program, context);
  return program;
}

/**
 * Turns `help failed redrive` into `failed redrive --help`: commander reads one word behind `help`. Where a word is
 * no command, the line ends with it, and commander refuses it instead of showing the help of the command above.
 */
function withHelp(program: Command, args: readonly string[]): string[] {
  let [command, isAsked] = [program, args.includes("-h") || args.includes("--help")];
  const words: string[] = [];
  for (const word of args) {
    if (word.startsWith("-") || command.commands.length === 0) break;
    if (word === "help") {
      isAsked = true;
      continue;
    }
    words.push(word);
    const next = command.commands.find((one) =>
      one.name() === word || one.aliases().includes(word)
    );
    if (next === undefined) return isAsked ? words : [...args];
    command = next;
  }
  return isAsked ? [...words, "--help"] : [...args];
}

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
    await program.parseAsync(withHelp(program, args), { from: "user" });
    return context.exitCode;
  } catch (error) {
    const failure = toFailure(error, program, args);
    if (failure === null) return EXIT.ok;
    io.note(`${describeFailure(failure, args.includes("--json"))}\n`);
    return failure.exitCode;
  }
}

/** Null where commander has only said what it was asked for, such as help. */
function toFailure(
  error: unknown,
  program: Command,
  [first = ""]: readonly string[],
): CommandError | null {
  if (error instanceof CommandError) return error;
  if (!(error instanceof CommanderError)) throw error;
  if (error.exitCode === 0) return null;
  if (error.code === "commander.help") return new UsageError("give a command; --help lists them");
  const problem = error.message.replace(/^error: /, "");
  const isVerb = error.code === "commander.unknownCommand" && !problem.includes("Did you mean");
  const guess = isVerb ? guessNoun(program, first) : "";
  return new UsageError(`${problem}${guess}\n--help shows what it takes`);
}

/** The commands of which a first word is the verb, as commander tells its own guesses: commands begin with their noun. */
function guessNoun(program: Command, verb: string): string {
  const found = program.commands
    .filter(({ commands }) => commands.some((command) => command.name() === verb))
    .map((command) => `${command.name()} ${verb}`);
  if (found.length === 0) return "";
  return `\n(Did you mean ${found.length > 1 ? "one of " : ""}${found.join(", ")}?)`;
}

/** Runs the command line of this process, and sets how the process will end. */
export async function main(): Promise<void> {
  const code = await run(process.argv.slice(2), processIo());
  // A command may have set it itself.
  if (code !== EXIT.ok) process.exitCode = code;
}

// In the package a file of its own calls main: Node 20 does not know import.meta.main.
if (import.meta.main) await main();
