/** A small Supabase project in a temporary folder, for the tests of the local stack itself. */

import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";

/** The content of the project's migration. */
const MIGRATION = `
  create table public.notes (
    id bigint generated always as identity primary key,
    owner uuid not null default auth.uid(),
    text text not null
  );
  alter table public.notes enable row level security;
  create policy own_notes on public.notes to authenticated
    using (owner = (select auth.uid())) with check (owner = (select auth.uid()));
  grant select, insert on public.notes to service_role, authenticated;
  create table public.granted_to_nobody (id int);
  create function public.whoami() returns text language sql return current_user::text;
`;

const CONFIG = `
[db.vault]
symphony_url = "env(SYMPHONY_URL)"
of_the_test = "env(OF_THE_TEST)"

[functions.open]
verify_jwt = false
`;

/** A project and the folder of its stacks' data. */
export interface LocalProject {
  /** The folder that holds supabase/. */
  readonly dir: string;
  /** Starts a stack on it; the data is kept from one to the next. */
  start(options?: StackOptions): Promise<Stack>;
  /** Writes a file, by its path within the project. */
  write(path: string, text: string): Promise<void>;
  /** Deletes the folder. */
  remove(): Promise<void>;
}

/** Makes a project with one migration and the given functions, by name. */
export async function createLocalProject(
  functions: Record<string, string> = {},
): Promise<LocalProject> {
  const dir = await Deno.makeTempDir({ prefix: "symphony-project-" });
  const write = async (path: string, text: string) => {
    await Deno.mkdir(`${dir}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${dir}/${path}`, text);
  };
  await write("supabase/config.toml", CONFIG);
  await write("supabase/migrations/20260101000000_notes.sql", MIGRATION);
  for (const [name, source] of Object.entries(functions)) {
    await write(`supabase/functions/${name}/index.ts`, source);
  }
  return {
    dir,
    start: (options = {}) =>
      startStack({
        projectDir: dir,
        dataDir: `${dir}/.local`,
        durable: false,
        migrate: "sql",
        cron: false,
        net: false,
        ...options,
      }),
    write,
    remove: () => Deno.remove(dir, { recursive: true }),
  };
}

/** Process ids of a process's children and theirs; by default this process's. */
export function descendants(parent = Deno.pid): number[] {
  const parents = new Map<number, number>();
  for (const { name } of Deno.readDirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat !== undefined) parents.set(Number(name), stat.parent);
  }
  const found = [parent];
  for (const pid of found) {
    for (const [child, ppid] of parents) if (ppid === pid) found.push(child);
  }
  return found.slice(1);
}

/** Whether a process runs. */
export function isRunning(pid: number): boolean {
  return readStat(pid) !== undefined;
}

/** The name of a running process's program; undefined when it has ended. */
export function nameOf(pid: number): string | undefined {
  return readStat(pid)?.name;
}

/** Reads a running process's state from the kernel; undefined if the process has ended. */
function readStat(pid: number): { name: string; parent: number } | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const end = stat.lastIndexOf(")");
    const [state, parent] = stat.slice(end + 2).split(" ");
    const name = stat.slice(stat.indexOf("(") + 1, end);
    return state === "Z" ? undefined : { name, parent: Number(parent) };
  } catch (error) {
    // ESRCH: it ended between the opening of the file and the reading.
    const hasEnded = error instanceof Deno.errors.NotFound || /os error 3\b/.test(String(error));
    if (hasEnded) return undefined;
    throw error;
  }
}
