/**
 * Writes the migration from one release to the next. It begins with the check of the schema's version, then has
 * the changes of tables (supabase/upgrades/<version>.sql, written by people), then what the two catalogs show.
 */

import type postgres from "postgres";
import { readCatalog } from "./catalog.ts";
import type { SchemaFile } from "./release_source.ts";
import { deriveStatements } from "./release_statements.ts";

/** The parts of a step. */
export interface Step {
  /** The release before. */
  readonly from: string;
  readonly to: string;
  /** Changes of tables; empty if there are none. */
  readonly tables: string;
  /** The source of the new release. */
  readonly files: readonly SchemaFile[];
}

/** Two databases of the release before; both are changed. */
export interface StepDatabases {
  readonly before: postgres.Sql;
  readonly after: postgres.Sql;
}

/** Takes away all that the migrations made. */
export const REMOVE_ALL = `
  drop schema messenger, public cascade;
  create schema public authorization postgres;
  delete from cron.job where jobname like 'symphony-%';`;

/**
 * The migration.
 * @throws Error that shows the difference, if it does not lead to the source
 */
export async function stepMigration(step: Step, { before, after }: StepDatabases): Promise<string> {
  await after.unsafe(REMOVE_ALL).simple();
  for (const { name, text } of step.files) await applyAsOwner(after, text, `schemas/${name}`);
  await applyAsOwner(before, step.tables, `upgrades/${step.to}.sql`);
  const derived = await deriveStatements(before, after);
  const rest = [
    "-- Functions, views, triggers and comments. Their bodies are checked when all of them are there.\n",
    "set local check_function_bodies = off;\n\n",
    derived.join("\n\n"),
    `\n\n${grantsOf(step.files).trimEnd()}\n\nselect public.messenger_setup();\n`,
  ].join("");
  try {
    await applyAsOwner(before, rest, `the migration to ${step.to}`);
  } catch (error) {
    // Such as a comment on a column that is not there yet.
    await compare(before, after, step.to, OF_TABLES);
    throw error;
  }
  await compare(before, after, step.to, /^/);
  return `${headOf(step)}${step.tables === "" ? "" : `${step.tables.trimEnd()}\n\n`}${rest}`;
}

function headOf({ from, to }: Step): string {
  return `-- Symphony Messenger ${from} to ${to}, written by \`deno task release ${to}\`.

-- If another session locks one of these tables, this migration fails soon. A migration that waits would
-- make all later sessions wait behind it.
set local lock_timeout = '5s';

do $$
begin
  if to_regprocedure('public.messenger_version()') is null then
    raise exception 'Symphony Messenger is not in this database: the schema has to be ${from}'
      using hint = 'Apply the migrations of the earlier releases first.';
  end if;
  if public.messenger_version() <> '${from}' then
    raise exception 'the schema is Symphony Messenger %, and this migration leads from ${from} to ${to}',
        public.messenger_version()
      using hint = 'Apply the migrations in the order of their releases, each of them once.';
  end if;
end
$$;

`;
}

function grantsOf(files: readonly SchemaFile[]): string {
  const file = files.find(({ name }) => name.endsWith("_grants.sql"));
  if (!file) throw new Error("supabase/schemas: no file ..._grants.sql");
  return file.text;
}

async function applyAsOwner(sql: postgres.Sql, text: string, what: string): Promise<void> {
  await sql.begin((transaction) => transaction.unsafe(`set local role postgres; ${text}`).simple())
    .catch((error) => {
      throw new Error(`supabase/${what}: ${error.message}`, { cause: error });
    });
}

/** Lines of the catalog that statements of people change. */
const OF_TABLES = /^(relation|column|constraint|index|sequence|policy) /;

/** @throws Error that shows the first lines of the two catalogs that differ */
async function compare(
  before: postgres.Sql,
  after: postgres.Sql,
  to: string,
  kinds: RegExp,
): Promise<void> {
  const [made, wanted] = (await Promise.all([before, after].map(readCatalog)))
    .map((lines) => lines.filter((line) => kinds.test(line))) as [string[], string[]];
  const extra = made.filter((line) => !wanted.includes(line)).map((line) => `  made:   ${line}`);
  const lacking = wanted.filter((line) => !made.includes(line)).map((line) => `  source: ${line}`);
  if (extra.length + lacking.length === 0) return;
  const shown = [...extra, ...lacking].sort((a, b) => a.slice(10) < b.slice(10) ? -1 : 1).slice(
    0,
    20,
  );
  throw new Error(
    `supabase/upgrades/${to}.sql: does not lead to supabase/schemas; write the changes of tables, columns, ` +
      `constraints, indexes, policies and jobs there:\n${shown.join("\n")}`,
  );
}
