/** `worker`: runs the project's messages in a resident process, for handlers that need more than a function has. */

import { hostname } from "node:os";
import process from "node:process";
import type { Command } from "commander";
import { UsageError } from "../errors.ts";
import { type Context, number } from "../messenger/context.ts";
import { workdirOption } from "../project/options.ts";

interface Flags {
  readonly queues?: string;
  readonly concurrency?: number;
  readonly grace: number;
  readonly name?: string;
  readonly url?: string;
  readonly secretKey?: string;
  readonly messages?: string;
  readonly deno?: string;
  readonly workdir?: string;
}

const HELP = `
SIGTERM or Ctrl-C lets running handlers finish within --grace, and gives the rest back; a second one gives back
at once. The worker needs Deno: it takes --deno, SYMPHONY_DENO, the one of PATH or of node_modules, or npm's.`;

/** Adds `worker`. */
export function addWorker(program: Command, context: Context): void {
  program.command("worker")
    .description("runs messages in a resident process, until a signal ends it")
    .option(
      "--queues <names>",
      'queues to serve, separated by commas; by default those of runsOn: "worker"',
    )
    .addOption(number("--concurrency <n>", "handlers that run at once; by default 10"))
    .addOption(
      number("--grace <seconds>", "how long running handlers may finish after a signal").default(8),
    )
    .option(
      "--name <name>",
      "its name among the ticks; by default the host's and the process's number",
    )
    .option("--url <url>", "the project's URL; by default SUPABASE_URL")
    .option(
      "--secret-key <key>",
      "a secret key; better in SUPABASE_SECRET_KEY, for others see a process's flags",
    )
    .option(
      "--messages <file>",
      "the module of the messages; by default supabase/functions/_messages/mod.ts",
    )
    .option("--deno <file>", "the program of Deno to run it with")
    .addOption(workdirOption())
    .addHelpText("after", HELP)
    .action(async (flags: Flags) => {
      const { findProject } = await import("../project/files.ts");
      const { findDeno } = await import("./deno.ts");
      const { withDenoConfig } = await import("./deno-config.ts");
      const { entryOf } = await import("./entry.ts");
      const { supervise } = await import("./supervise.ts");
      const root = findProject(process.cwd(), flags.workdir);
      const env = environmentOf(flags, context.io.variable);
      const options = optionsOf(flags);
      const deno = findDeno({ given: flags.deno ?? context.io.variable("SYMPHONY_DENO"), root });
      process.exitCode = await withDenoConfig((config) => {
        const args = entryOf({ root, messages: flags.messages, config, options });
        return supervise({ deno, args, env, graceMs: options.graceMs });
      });
    });
}

/** The environment in which Deno finds the project. @throws UsageError if the URL or the key is missing */
function environmentOf(
  { url, secretKey }: Flags,
  variable: (name: string) => string | undefined,
): Record<string, string> {
  const project = url ?? variable("SUPABASE_URL");
  const key = secretKey ?? variable("SUPABASE_SECRET_KEY");
  if (!project) throw new UsageError("--url: give the project's URL, or set SUPABASE_URL");
  if (!URL.canParse(project)) throw new UsageError(`--url: is no URL (${project})`);
  if (!key) throw new UsageError("--secret-key: set SUPABASE_SECRET_KEY, or give the flag");
  return { SUPABASE_URL: project, SUPABASE_SECRET_KEYS: JSON.stringify({ default: key }) };
}

/** @throws UsageError that names the wrong flag */
function optionsOf({ queues, concurrency, grace, name }: Flags) {
  const names = queues?.split(",").map((one) => one.trim());
  if (names?.some((one) => one === "")) {
    throw new UsageError(`--queues: has to be names separated by commas (${queues})`);
  }
  if (
    concurrency !== undefined &&
    !(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1000)
  ) {
    throw new UsageError(`--concurrency: has to be a whole number from 1 to 1000 (${concurrency})`);
  }
  if (!(grace >= 0 && grace <= 86_400)) {
    throw new UsageError(`--grace: has to be a number of seconds, from 0 to 86400 (${grace})`);
  }
  return {
    ...(names && { queues: names }),
    ...(concurrency !== undefined && { concurrency }),
    name: name ?? `${hostname()}:${process.pid}`,
    graceMs: grace * 1000,
  };
}
