/** `types`: writes the TypeScript types of the project's messages, for code that does not import the definitions. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Command } from "commander";
import { CommandError, EXIT } from "../errors.ts";
import type { Context } from "../messenger/context.ts";
import { addTypesList } from "../messenger/commands/types.ts";
import { workdirOption } from "../project/options.ts";
import type { Examined } from "./examine.ts";
import type { TargetFlags } from "./targets.ts";

interface Flags extends TargetFlags {
  readonly check?: boolean;
  readonly deno?: string;
  readonly workdir?: string;
}

const HELP = `
A frontend's file tells of the types that users may dispatch (their access is not "secret"), and names no other. With
--all it tells of every type, for backends with a secret key. The first line of a file keeps its options, and files
whose names end in .gen.ts are found again: without flags, each is brought up to date.
The definitions are loaded in Deno: --deno, SYMPHONY_DENO, the one of PATH or of node_modules, or npm's.`;

/** Adds `types`, and `types list`. */
export function addTypes(program: Command, context: Context): void {
  const types = program.command("types")
    .description("writes the TypeScript types of the project's messages, for the client")
    .option(
      "--out <file>",
      "the file; by default those that the project has, else src/messenger.gen.ts if there is a src/, " +
        "else messenger.gen.ts",
    )
    .option("--all", "with the types that only secret keys may dispatch")
    .option("--check", "writes nothing, and ends with 1 if a file is not what would be written")
    .option(
      "--messages <file>",
      "the module of the messages; by default supabase/functions/_messages/mod.ts",
    )
    .option("--deno <file>", "the program of Deno to load them with")
    .addOption(workdirOption())
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const { findProject } = await import("../project/files.ts");
      const { findDeno } = await import("../worker/deno.ts");
      const { targetsOf } = await import("./targets.ts");
      const { examineGenerated } = await import("./examine.ts");
      const root = findProject(process.cwd(), flags.workdir);
      const targets = targetsOf(root, process.cwd(), flags);
      const deno = findDeno({ given: flags.deno ?? context.io.variable("SYMPHONY_DENO"), root });
      const examined = await examineGenerated(targets, { deno, root });
      for (const one of examined) warn(one, context);
      if (flags.check) check(examined, context);
      else for (const one of examined) write(root, one, context);
    });
  addTypesList(types, context);
}

/** @throws CommandError if a file is not what would be written */
function check(examined: readonly Examined[], { io }: Context): void {
  const stale = examined.filter(({ drift }) => drift !== "");
  if (stale.length === 0) {
    for (const { file, count } of examined) io.print(`${file.path}: up to date, ${counted(count)}`);
    return;
  }
  const lines = stale.map(({ file, drift }) =>
    file.text === "" ? `${file.path}: is missing` : `${file.path}: ${drift}`
  );
  throw new CommandError(
    EXIT.nothing,
    "stale",
    `${lines.join("\n")}\nThe definitions say something else. Run npx symphony-messenger types`,
  );
}

/** Writes one file. A file that differs only in its layout stays as it is: its formatter would change it back. */
function write(
  root: string,
  { file, text, drift, count, secret }: Examined,
  { io }: Context,
): void {
  const { path } = file;
  if (drift !== "") {
    try {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new CommandError(EXIT.conflict, "not_written", `${path}: ${reason}`, {}, { cause });
    }
  }
  const change = drift === "" ? "unchanged" : file.text === "" ? "written" : drift;
  const left = secret === 0 || file.options.all
    ? ""
    : `; left out ${secret} that only secret keys may dispatch (--all)`;
  io.print(`${path}: ${change}, ${counted(count)}${left}`);
}

function warn({ messages }: Examined, { io }: Context): void {
  for (const { type, problem } of messages) {
    if (problem === undefined) continue;
    io.note(`warning: ${type}: its schema cannot be written as JSON Schema: ${problem}\n`);
  }
}

function counted(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}
