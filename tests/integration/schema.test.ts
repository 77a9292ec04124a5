/** The migrations as a whole: what the Supabase CLI says of them, and where they may be applied. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type postgres from "postgres";
import { advise, generateTypes, lint, TYPES_FILE } from "../../local/checks.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const MIGRATIONS = new URL("../../supabase/migrations/", import.meta.url).pathname;

async function onDatabase(test: (database: TestDatabase) => Promise<void>): Promise<void> {
  const database = await createTestDatabase();
  try {
    await test(database);
  } finally {
    await database.drop();
  }
}

/** Applies every migration in a transaction of its own, as the owner of a project's objects. */
async function apply(sql: postgres.Sql): Promise<void> {
  const names = Array.from(Deno.readDirSync(MIGRATIONS), ({ name }) => name).toSorted();
  for (const name of names) {
    const text = await Deno.readTextFile(MIGRATIONS + name);
    await sql.begin((transaction) =>
      transaction.unsafe(`set local role postgres; ${text}`).simple()
    );
  }
}

/** Removes what the migrations made, and leaves what was there before. */
async function removeBus(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(
    "drop schema messenger, public cascade; create schema public authorization postgres",
  ).simple();
}

Deno.test("the committed database types are those of the migrations", () =>
  onDatabase(async ({ url }) => {
    const isCurrent = await generateTypes(url) === await Deno.readTextFile(TYPES_FILE);
    assert(isCurrent, "the types differ from the migrations: run `deno task db:types`");
  }));

Deno.test("the Supabase advisors find nothing to warn of", () =>
  onDatabase(({ url }) => advise(url)));

Deno.test("the Supabase linter finds nothing to warn of, where the server has plpgsql_check", (t) =>
  onDatabase(async ({ url, sql }) => {
    const [extension] = await sql`
      select from pg_available_extensions where name = 'plpgsql_check'`;
    await t.step({
      name: extension ? "db lint" : "db lint: left out, for this Postgres has no plpgsql_check",
      ignore: !extension,
      fn: () => lint(url),
    });
  }));

Deno.test("applying the migrations a second time is refused, changes nothing and loses nothing", () =>
  onDatabase(async ({ sql }) => {
    await sql`select public.messenger_dispatch('T', '{"kept":true}')`;
    await sql`create table public.other (id int)`;
    await assertRejects(() => apply(sql), Error, "Symphony Messenger is in this database already");
    const rows = await sql`select payload from public.messenger_messages`;
    assertEquals(rows.map(({ payload }) => payload), [{ kept: true }]);
    const jobs = await sql<{ jobname: string }[]>`
      select jobname from cron.job where jobname like 'symphony-%'`;
    assertEquals(new Set(jobs.map(({ jobname }) => jobname)).size, jobs.length);
  }));

Deno.test("the migrations apply to a database that has other tables", () =>
  onDatabase(async ({ sql }) => {
    await removeBus(sql);
    await sql.unsafe("create table public.orders (id int); create table public.users (id int)")
      .simple();
    await apply(sql);
    const [row] = await sql`select public.messenger_dispatch('T') as id`;
    assert(row?.id);
  }));

Deno.test("a missing part of the platform gives a clear error, and nothing is created", async () => {
  const missing = [
    ["net", "pg_net", "pg_net is missing"],
    ["vault", "supabase_vault", "Vault is missing"],
    ["cron", "pg_cron", "pg_cron is missing"],
  ] as const;
  for (const [schema, extension, message] of missing) {
    await onDatabase(async ({ sql }) => {
      const [available] = await sql`
        select from pg_available_extensions where name = ${extension}`;
      // Where the server has the extension, the migration creates it instead.
      if (available) return;
      await removeBus(sql);
      await sql.unsafe(`drop schema ${schema} cascade`);
      await assertRejects(() => apply(sql), Error, message);
      const [made] = await sql`select to_regclass('public.messenger_messages') as found`;
      assertEquals(made?.found, null);
    });
  }
});

Deno.test("a foreign table of our name is left alone, and named in the error", () =>
  onDatabase(async ({ sql }) => {
    await removeBus(sql);
    await sql`create table public.messenger_messages (id bigint, body text)`;
    await assertRejects(() => apply(sql), Error, "is not a table of Symphony Messenger");
    const [found] = await sql`select to_regclass('public.messenger_queues') as queues`;
    assertEquals(found?.queues, null);
  }));
