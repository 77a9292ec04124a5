/** The migrations themselves: where they apply, and where they refuse to. */

import { assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { installPgTap, runPgTap } from "../support/pgtap.ts";

const here = new URL(".", import.meta.url);
const migrations = await readMigrations(new URL("../../supabase/migrations/", here));

// Debian's package has the migrations create pg_cron instead of missing it.
const CRON_IS_AVAILABLE = Deno.env.has("SYMPHONY_TEST_POSTGRES");

/** Takes away what the migrations have made, to have them make it again. */
const REMOVE_ALL = `
  do $do$
  declare
    statement text;
  begin
    foreach statement in array array(
      select format('drop routine if exists %s cascade', p.oid::regprocedure)
      from pg_proc p
      where p.pronamespace = 'public'::regnamespace and p.proname like 'messenger\\_%'
      union all
      select 'drop schema if exists messenger cascade'
      union all
      select format('drop table if exists %s cascade', c.oid::regclass)
      from pg_class c
      where c.relnamespace = 'public'::regnamespace and c.relname like 'messenger\\_%'
        and c.relkind = 'r'
    )
    loop
      execute statement;
    end loop;
  end
  $do$;`;

let database: TestDatabase;
let sql: postgres.Sql;

Deno.test.beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, {
    max: 1,
    onnotice: () => {},
    connection: { search_path: "public, extensions" },
  });
});

Deno.test.afterEach(async () => {
  await sql`rollback`;
});

Deno.test.afterAll(async () => {
  await sql.end();
  await database.drop();
});

Deno.test("the migrations are refused where they are applied already, and change nothing", async () => {
  const state = () =>
    sql`select jobname, schedule, command, null as type from cron.job
        union all select null, null, null, type from messenger_messages order by 1, 4`;
  await sql.unsafe(`begin; select messenger_dispatch('waiting'), messenger_dispatch('running');
    select messenger_claim(gen_random_uuid(), 1)`).simple();
  const before = await state();
  await sql.unsafe("savepoint applied").simple();
  await assertRejects(
    () => sql.unsafe(asOwner(migrations)).simple(),
    postgres.PostgresError,
    "Symphony Messenger is in this database already",
  );
  await sql.unsafe("rollback to applied").simple();
  assertEquals([...await state()], [...before]);
});

Deno.test("nothing is open to outsiders in a project that still opens new objects to everybody", async () => {
  await installPgTap(sql);
  await sql.unsafe(await Deno.readTextFile(new URL("helpers.sql", here))).simple();
  await sql.unsafe(`begin; ${REMOVE_ALL}
    alter default privileges for role postgres in schema public
      grant all on tables to anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
      grant all on sequences to anon, authenticated, service_role;
    alter default privileges for role postgres in schema public
      grant all on functions to anon, authenticated, service_role;
    ${asOwner(migrations)}`).simple();
  const file = new URL("schema/nothing_is_open_to_anon_authenticated_or_public.sql", here);
  await runPgTap(sql, await Deno.readTextFile(file));
});

Deno.test("a table of that name which is another's is refused", async () => {
  await assertRefused(
    `${REMOVE_ALL} create table public.messenger_messages (id bigint)`,
    "public.messenger_messages exists and is not a table of Symphony Messenger",
  );
});

Deno.test("another object with the prefix of the bus is refused", async () => {
  await assertRefused(
    `${REMOVE_ALL} create function public.messenger_now() returns int language sql as 'select 1'`,
    "public.messenger_now() exists and is not Symphony Messenger's",
  );
  await sql`rollback`;
  await assertRefused(
    `${REMOVE_ALL} create view public.messenger_overview as select 1`,
    "public.messenger_overview exists and is not Symphony Messenger's",
  );
});

Deno.test("a cron job that has the name of one of the bus and runs something else is refused", async () => {
  await assertRefused(
    `${REMOVE_ALL} update cron.job set command = 'select 1' where jobname = 'symphony-prune'`,
    "cron job symphony-prune: exists and runs something else (select 1)",
  );
});

Deno.test("a missing pg_net is named", async () => {
  await assertRefused(`${REMOVE_ALL} drop schema net cascade`, "pg_net is missing");
});

Deno.test("a missing Vault is named", async () => {
  await assertRefused(`${REMOVE_ALL} drop schema vault cascade`, "Vault is missing");
});

Deno.test({ name: "a missing pg_cron is named", ignore: CRON_IS_AVAILABLE }, async () => {
  await assertRefused(`${REMOVE_ALL} drop schema cron cascade`, "pg_cron is missing");
});

/** The migrations as the role that owns a project's tables. */
function asOwner(text: string): string {
  return `set local role postgres; ${text}; reset role;`;
}

async function assertRefused(setup: string, message: string): Promise<void> {
  await assertRejects(
    () => sql.unsafe(`begin; ${setup}; ${asOwner(migrations)}`).simple(),
    postgres.PostgresError,
    message,
  );
}

async function readMigrations(folder: URL): Promise<string> {
  const names = [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();
  const texts = await Promise.all(names.map((name) => Deno.readTextFile(new URL(name, folder))));
  return texts.join(";\n");
}
