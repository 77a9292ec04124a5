// Applies the project's migrations and fills the vault, as `supabase db push` does on a hosted
// project.
import postgres from "postgres";
import { StackError } from "./errors.ts";
import { readConfig } from "./config.ts";

/** The Supabase CLI, as npx names it. */
export const SUPABASE_CLI = "supabase@3.1.0";

/** Where to apply what. */
export interface MigrateOptions {
  /** The folder that holds `supabase/`. */
  projectDir: string;
  /** The database, as the role that shall own the objects. */
  url: string;
  /** Values of the variables that `[db.vault]` in config.toml names. */
  env: Record<string, string>;
  /** 'sql' runs the files itself, 2 s faster; 'cli' has the Supabase CLI do it. */
  by: "cli" | "sql";
}

/**
 * Applies the migrations that are missing and sets the vault's secrets.
 * Throws a StackError with the CLI's output, or what Postgres reports.
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const sql = postgres(options.url, { max: 1, onnotice: () => {} });
  try {
    const pending = await pendingMigrations(sql, `${options.projectDir}/supabase/migrations`);
    if (pending.length > 0) {
      if (options.by === "cli") await pushWithCli(options);
      else await applyFiles(sql, pending);
    }
    await setSecrets(sql, options);
  } finally {
    await sql.end();
  }
}

interface Migration {
  version: string;
  name: string;
  path: string;
}

async function pendingMigrations(sql: postgres.Sql, folder: string): Promise<Migration[]> {
  const migrations: Migration[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const [, version, name] = /^(\d+)_(.+)\.sql$/.exec(entry.name) ?? [];
    if (version !== undefined && name !== undefined) {
      migrations.push({ version, name, path: `${folder}/${entry.name}` });
    }
  }
  migrations.sort((a, b) => a.version < b.version ? -1 : 1);
  const [table] = await sql`select to_regclass('supabase_migrations.schema_migrations') as found`;
  if (table?.found === null) return migrations;
  const applied = await sql<
    { version: string }[]
  >`select version from supabase_migrations.schema_migrations`;
  const versions = new Set(applied.map((row) => row.version));
  return migrations.filter(({ version }) => !versions.has(version));
}

async function pushWithCli({ projectDir, url, env }: MigrateOptions): Promise<void> {
  const command = new Deno.Command("npx", {
    args: ["-y", SUPABASE_CLI, "db", "push", `--remote=${url}?sslmode=disable`, "--yes"],
    cwd: projectDir,
    env: { ...env, DO_NOT_TRACK: "1" },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output().catch((error) => {
    throw new StackError("npx is missing: install Node.js with npm", { cause: error });
  });
  if (success) return;
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  throw new StackError(`the migrations failed (supabase db push):\n${errors}\n${output}`);
}

async function applyFiles(sql: postgres.Sql, migrations: Migration[]): Promise<void> {
  await sql.unsafe(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text primary key, statements text[], name text
    );
  `).simple();
  for (const { version, name, path } of migrations) {
    const text = await Deno.readTextFile(path);
    await sql.begin(async (transaction) => {
      await transaction.unsafe(text).simple();
      await transaction`
        insert into supabase_migrations.schema_migrations (version, name) values (${version}, ${name})`;
    });
  }
}

/** Sets each secret whose value is new: the CLI does so too, but only when it also pushes. */
async function setSecrets(sql: postgres.Sql, { projectDir, env }: MigrateOptions): Promise<void> {
  const { db } = await readConfig(`${projectDir}/supabase/config.toml`);
  for (const [name, reference] of Object.entries(db?.vault ?? {})) {
    const value = env[/^env\((\w+)\)$/.exec(reference)?.[1] ?? ""];
    if (value === undefined) continue;
    const [secret] = await sql<{ id: string; decrypted_secret: string }[]>`
      select id, decrypted_secret from vault.decrypted_secrets where name = ${name}`;
    if (secret === undefined) await sql`select vault.create_secret(${value}, ${name})`;
    else if (secret.decrypted_secret !== value) {
      await sql`select vault.update_secret(${secret.id}, ${value})`;
    }
  }
}
