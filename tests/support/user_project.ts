/** A Supabase project as a user has it: made by the Supabase CLI, with files of the user's own. */

import { releases } from "../../cli/releases.ts";
import { SUPABASE_CLI } from "../../local/migrate.ts";
import { commandPath, npxSymphony } from "./package_command.ts";
import { publishedPackage } from "./package.ts";
import { type ProgramResult, runProgram } from "./programs.ts";

/** The versions whose migrations the package brings, the first one first. */
export const RELEASES: readonly string[] = releases().map(({ version }) => version);

/**
 * The stamp of the n-th migration that the command adds behind the project's last one.
 * @param stamp the last one's, at the full minute, such as 20270101000000
 * @param n 1 to 59
 */
export function stampAfter(stamp: string, n: number): string {
  return String(Number(stamp) + n);
}

/** How a program ended. */
export interface Ended {
  readonly code: number;
  /** Both streams. */
  readonly text: string;
}

/** How the command runs. */
export interface CommandOptions {
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** The version of the package; default: the one that this checkout builds. */
  readonly version?: string;
}

/** A project in a folder of its own. */
export interface UserProject {
  readonly dir: string;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  /** The texts of all files, by path. */
  files(): Promise<Map<string, string>>;
  /** Runs `npx symphony-messenger` in the project. */
  npx(...args: string[]): Promise<Ended>;
  /** Runs the same command from where npx has installed it, which takes less time. */
  symphony(args: readonly string[], options?: CommandOptions): Promise<Ended>;
  /** Pushes the migrations to a database with the Supabase CLI. */
  push(url: string, env?: Record<string, string>): Promise<Ended>;
  remove(): Promise<void>;
}

const ENV = { DO_NOT_TRACK: "1", NO_COLOR: "1" };

/** Makes a project with the config of `supabase init`. */
export async function createUserProject(
  files: Record<string, string> = {},
): Promise<UserProject> {
  const dir = await Deno.makeTempDir({ prefix: "symphony-user-" });
  const write = async (path: string, text: string) => {
    await Deno.mkdir(`${dir}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${dir}/${path}`, text);
  };
  const run = async (program: string, args: readonly string[], env = {}) =>
    ended(await runProgram(program, args, { cwd: dir, env: { ...ENV, ...env }, mayFail: true }));
  await write("supabase/config.toml", await (config ??= initialConfig()));
  for (const [path, text] of Object.entries(files)) await write(path, text);
  return {
    dir,
    write,
    read: (path) => Deno.readTextFile(`${dir}/${path}`),
    files: () => readAll(dir),
    npx: async (...args) => ended(await npxSymphony(args, { cwd: dir, env: ENV, mayFail: true })),
    symphony: async (args, { env, version } = {}) =>
      await run(await commandPath(version), args, { ...publishedPackage().env, ...env }),
    push: (url, env) =>
      run(
        "npx",
        ["-y", SUPABASE_CLI, "db", "push", `--remote=${url}?sslmode=disable`, "--yes"],
        env,
      ),
    remove: () => Deno.remove(dir, { recursive: true }),
  };
}

/** One `supabase init` a test file: it takes seconds. */
let config: Promise<string> | undefined;

async function initialConfig(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "symphony-cli-" });
  try {
    await runProgram("npx", ["-y", SUPABASE_CLI, "init"], { cwd: dir, env: ENV });
    return await Deno.readTextFile(`${dir}/supabase/config.toml`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function ended({ code, stdout, stderr }: ProgramResult): Ended {
  return { code, text: `${stdout}${stderr}` };
}

async function readAll(dir: string, path = ""): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(`${dir}${path}`)) {
    const child = `${path}/${name}`;
    if (name === ".temp") continue;
    if (isDirectory) { for (const entry of await readAll(dir, child)) files.set(...entry); }
    else files.set(child.slice(1), await Deno.readTextFile(`${dir}${child}`));
  }
  return files;
}
