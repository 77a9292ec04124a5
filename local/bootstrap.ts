// Makes a plain Postgres database look like a Supabase one: roles, schemas, and stand-ins for the
// extensions that are missing. One file of SQL a part, in local/sql/.
import postgres from "postgres";

/** Options of the bootstrap: the database, and its contents. */
export interface BootstrapOptions {
  /** A superuser's URL. */
  url: string;
  /** Password of the roles that log in: `postgres` where it is new, and `authenticator`. */
  password: string;
  /** Whether to create the real pg_cron instead of its stand-in. */
  realCron: boolean;
}

/** Which schemas are stand-ins, and so need a worker of ours. */
export interface StandIns {
  cron: boolean;
  net: boolean;
}

/** Tools for tests of SQL; created where the server has them. */
const TEST_EXTENSIONS = ["pgtap", "plpgsql_check"];

/** Prepares the database; may run again on one that is prepared. Throws what Postgres reports. */
export async function bootstrap(options: BootstrapOptions): Promise<StandIns> {
  const sql = postgres(options.url, { max: 1, onnotice: () => {} });
  try {
    await createRoles(sql, options.password);
    await runFile(sql, "api");
    await runFile(sql, "auth");
    await createTestExtensions(sql);

    if (options.realCron) await createRealCron(sql);
    await installMissing(sql, "vault");
    await installMissing(sql, "net");
    await installMissing(sql, "cron");
    return { cron: await isStandIn(sql, "cron"), net: await isStandIn(sql, "net") };
  } finally {
    await sql.end();
  }
}

async function runFile(sql: postgres.ISql, name: string): Promise<void> {
  await sql.unsafe(await Deno.readTextFile(new URL(`./sql/${name}.sql`, import.meta.url))).simple();
}

/** Roles belong to the server, which other stacks may be preparing for their databases right now. */
async function createRoles(sql: postgres.Sql, password: string): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`lock table pg_catalog.pg_authid in share row exclusive mode`;
    const [{ is_new } = { is_new: false }] = await transaction<{ is_new: boolean }[]>`
      select to_regrole('postgres') is null as is_new`;
    await runFile(transaction, "roles");
    for (const role of is_new ? ["postgres", "authenticator"] : ["authenticator"]) {
      const [command] = await transaction<{ text: string }[]>`
        select format('alter role %I password %L', ${role}::text, ${password}::text) as text`;
      if (command) await transaction.unsafe(command.text);
    }
  });
}

async function createTestExtensions(sql: postgres.Sql): Promise<void> {
  const available = await sql<{ name: string }[]>`
    select name from pg_available_extensions where name = any(${TEST_EXTENSIONS})`;
  for (const { name } of available) {
    await sql`create extension if not exists ${sql(name)} with schema extensions`;
  }
}

/** As hosted: the extension belongs to the platform, its jobs to who schedules them. */
async function createRealCron(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create extension if not exists pg_cron;
    grant usage on schema cron to postgres with grant option;
    grant all on all functions in schema cron to postgres with grant option;
    grant select on cron.job to postgres with grant option;
    grant all on cron.job_run_details to postgres with grant option;
  `).simple();
}

async function installMissing(sql: postgres.Sql, schema: string): Promise<void> {
  const [found] = await sql`select to_regnamespace(${schema}) is not null as exists`;
  if (!found?.exists) await runFile(sql, schema);
}

/** A schema that no extension owns is ours. */
async function isStandIn(sql: postgres.Sql, schema: string): Promise<boolean> {
  const [found] = await sql<{ ours: boolean }[]>`
    select not exists (
      select from pg_proc p
      join pg_depend d on d.objid = p.oid and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
      where p.pronamespace = to_regnamespace(${schema})
    ) as ours`;
  return found?.ours ?? true;
}
