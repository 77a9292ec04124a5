/** `doctor`: looks at the configuration, the functions, the database and the health, and says what mends each fault. */

import process from "node:process";
import { type Command, Option } from "commander";
import { ApiError, EXIT, UsageError } from "../errors.ts";
import { createCall } from "../messenger/client.ts";
import { type Limits, limits, toSearch } from "../messenger/commands/health-limits.ts";
import { addCommand, type Context, text } from "../messenger/context.ts";
import { withDash } from "../project/functions.ts";
import { type Migration, migrationsOf } from "../project/migrations.ts";
import { workdirOption } from "../project/options.ts";
import type { Check } from "./check.ts";
import { failed, passed } from "./check.ts";
import { fix } from "./fix.ts";
import { checkFunctions } from "./functions.ts";
import { checkApplied, checkHistory } from "./history.ts";
import { askProject, type Remote } from "./remote.ts";
import { checkTarget, isUsable, type Target } from "./target.ts";
import { VERSION } from "../version.ts";

const COLUMNS = ["state", "name", "found", "limit", "advice"];

interface Options extends Limits {
  readonly fix?: boolean;
  readonly url?: string;
  readonly secretKey?: string;
  readonly prefix?: string;
  readonly workdir?: string;
}

/** Adds the command. */
export function addDoctor(program: Command, context: Context): void {
  addCommand<Options>(
    program,
    context,
    "doctor",
    "finds what is wrong with the installation and says what mends it; ends with 1 if anything is",
    [
      new Option("--fix", "makes the rows, cron jobs and secrets that are missing"),
      text("--url <url>", "the project's URL (SUPABASE_URL)"),
      text("--secret-key <key>", "one of its secret keys (SUPABASE_SECRET_KEY)"),
      text(
        "--prefix <prefix>",
        "what the names of its functions begin with (SYMPHONY_FUNCTION_PREFIX)",
      ),
      workdirOption(),
      ...limits(),
    ],
    async (_, options) => {
      const files = await examineFiles(context, options.workdir);
      const remote = await examine(targetOf(context, options), options);
      say(context, [...files.checks, ...compare(files, remote), ...remote.checks], remote.health);
    },
  );
}

/** The project at hand. */
interface Project {
  readonly checks: Check[];
  /** The release of its migrations; null where there is no project, or none of ours in it. */
  readonly release: string | null;
  readonly migrations: readonly Migration[];
}

/** The files and the database of one project. */
function compare(
  { release, migrations }: Project,
  { health, applied }: Remote,
): Check[] {
  const schema = health?.versions?.schema;
  if (release === null || schema === undefined) return [];
  const own = [checkHistory(release, schema)];
  return applied === null ? own : [...own, checkApplied(migrations, applied)];
}

async function examineFiles(
  { io }: Context,
  workdir: string | undefined,
): Promise<Project> {
  const { findProject, readProject } = await import("../project/files.ts");
  let root: string;
  try {
    root = findProject(process.cwd(), workdir);
  } catch (error) {
    if (workdir === undefined && error instanceof UsageError) {
      return { checks: [], release: null, migrations: [] };
    }
    throw error;
  }
  const { releases } = await import("../releases.ts");
  const { checkProject } = await import("./project.ts");
  const { installedVersion } = await import("../project/installed.ts");
  const { checkTypes } = await import("./types.ts");
  const files = readProject(root);
  const types = await checkTypes(root, io.variable("SYMPHONY_DENO"));
  return {
    checks: [...checkProject(files, releases(), io.now()), ...types],
    release: installedVersion(files),
    migrations: migrationsOf(files),
  };
}

function targetOf({ io }: Context, { url, secretKey, prefix: given }: Options): Target {
  return {
    url: url ?? io.variable("SUPABASE_URL") ?? "",
    key: secretKey ?? io.variable("SUPABASE_SECRET_KEY") ?? "",
    prefix: withDash(given ?? io.variable("SYMPHONY_FUNCTION_PREFIX") ?? ""),
  };
}

async function examine(target: Target, options: Options): Promise<Remote> {
  const own = [...checkTarget(target), passed("command", `${VERSION}, ${runtime()}`)];
  if (!isUsable(target)) return { checks: own, health: null, applied: null };
  const name = `${target.prefix}messenger`;
  const call = createCall(target.url, target.key, name);
  const fixed = options.fix === true
    ? await fix(call).catch((error): Check[] => {
      if (!(error instanceof ApiError)) throw error;
      return [failed("setup", null, error.message)];
    })
    : [];
  const [functions, remote] = await Promise.all([
    checkFunctions(target),
    askProject(call, toSearch(options), name),
  ]);
  return { ...remote, checks: [...own, ...functions, ...fixed, ...remote.checks] };
}

function say(context: Context, checks: readonly Check[], health: Remote["health"]): void {
  const rows = checks.map((check) => ({ state: check.ok ? "ok" : "FAILING", ...check }));
  if (context.json) context.say({ checks: rows, health }, "");
  else {
    context.sayTable(rows, COLUMNS);
    const commands = new Set(checks.flatMap(({ command }) => command ?? []));
    if (commands.size > 0) {
      context.io.print(
        `\nRun, in this order:\n${[...commands].map((one) => `  ${one}`).join("\n")}`,
      );
    }
  }
  if (rows.some(({ ok }) => !ok)) context.exitCode = EXIT.nothing;
}

function runtime(): string {
  const { Deno: deno, process } = globalThis as unknown as {
    Deno?: { version: { deno: string } };
    process?: { versions: { node: string } };
  };
  return deno ? `Deno ${deno.version.deno}` : `Node ${process?.versions.node}`;
}
