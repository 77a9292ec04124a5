/** A Supabase project as a user has it: made by the Supabase CLI, with files of the user's own. */

import { SUPABASE_CLI } from "../../local/migrate.ts";

const ROOT = new URL("../../", import.meta.url);

/** How a program ended. */
export interface Ended {
  readonly code: number;
  /** Both streams. */
  readonly text: string;
}

/** A project in a folder of its own. */
export interface UserProject {
  readonly dir: string;
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  /** The texts of all files, by path. */
  files(): Promise<Map<string, string>>;
  /** Runs this package's command in the project. */
  symphony(...args: string[]): Promise<Ended>;
  /** Pushes the migrations to a database with the Supabase CLI. */
  push(url: string, env?: Record<string, string>): Promise<Ended>;
  remove(): Promise<void>;
}

/** Makes a project with the config of `supabase init`. */
export async function createUserProject(
  files: Record<string, string> = {},
): Promise<UserProject> {
  const dir = await Deno.makeTempDir({ prefix: "symphony-user-" });
  const write = async (path: string, text: string) => {
    await Deno.mkdir(`${dir}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${dir}/${path}`, text);
  };
  const supabase = (args: string[], env: Record<string, string> = {}) =>
    execute("npx", ["-y", SUPABASE_CLI, ...args], dir, env);
  await write("supabase/config.toml", await (config ??= initialConfig()));
  for (const [path, text] of Object.entries(files)) await write(path, text);
  return {
    dir,
    write,
    read: (path) => Deno.readTextFile(`${dir}/${path}`),
    files: () => readAll(dir),
    symphony: (...args) =>
      execute(Deno.execPath(), [
        ...["run", "-A", "--no-check", "--quiet", "--config", `${ROOT.pathname}deno.json`],
        `${ROOT.pathname}cli/main.ts`,
        ...args,
      ], dir),
    push: (url, env) => supabase(["db", "push", `--remote=${url}?sslmode=disable`, "--yes"], env),
    remove: () => Deno.remove(dir, { recursive: true }),
  };
}

/** One `supabase init` a test file: it takes seconds. */
let config: Promise<string> | undefined;

async function initialConfig(): Promise<string> {
  const dir = await Deno.makeTempDir({ prefix: "symphony-cli-" });
  try {
    const { code, text } = await execute("npx", ["-y", SUPABASE_CLI, "init"], dir);
    if (code !== 0) throw new Error(`supabase init: ${text}`);
    return await Deno.readTextFile(`${dir}/supabase/config.toml`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Longest time that a program may take. */
const TIMEOUT_MS = 120_000;

async function execute(
  command: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { DO_NOT_TRACK: "1", NO_COLOR: "1", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, text: `${out}${err}` };
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
