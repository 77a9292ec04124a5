/** A clone of the schema alone, as a dump makes it: what it lacks, what mends it, and that it can be upgraded. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import postgres from "postgres";
import { migrationsIn } from "../../local/release_source.ts";
import { REMOVE_ALL } from "../../local/release_step.ts";
import { messenger } from "../support/cli.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { NEXT, nextMigration } from "../support/next_release.ts";
import { eventually, startTestStack } from "../support/stack.ts";

/** npm's Postgres has no pg_dump; CI runs on one that has it too. */
const binDir = Deno.env.get("SYMPHONY_TEST_POSTGRES");

async function dumpSchema({ url }: TestDatabase): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(`${binDir}/pg_dump`, {
    args: ["--schema-only", "--schema=public", "--schema=messenger", `--dbname=${url}`],
  }).output();
  const [text, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success, errors);
  // psql's own commands, which newer versions write.
  return (text ?? "").replace(/^\\.*$/gm, "");
}

/** Another database with the schema of a project, and nothing of its rows, jobs and secrets. */
async function cloneSchema(): Promise<TestDatabase> {
  const [project, clone] = [await createTestDatabase(), await createTestDatabase()];
  try {
    await project.sql`select messenger_dispatch('Of the project')`;
    await clone.sql.unsafe(`${REMOVE_ALL} drop schema public; delete from vault.secrets;`).simple();
    await clone.sql.unsafe(await dumpSchema(project)).simple();
    await clone.sql.unsafe("reset search_path").simple();
    return clone;
  } catch (error) {
    await clone.drop();
    throw error;
  } finally {
    await project.drop();
  }
}

async function asService<Row>(sql: postgres.Sql, text: string): Promise<Row> {
  const [row] = await sql.begin(async (transaction) => {
    await transaction`set local role service_role`;
    await transaction`set local search_path = public`;
    return [...await transaction.unsafe(text)];
  });
  return row as Row;
}

const options = { ignore: !binDir, sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "a branch with the schema and its history alone is mended by the doctor",
  options,
  async () => {
    const clone = await cloneSchema();
    await clone.sql.unsafe(`create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text primary key, statements text[], name text
    );`).simple();
    for (const { stamp, version } of migrationsIn()) {
      await clone.sql`insert into supabase_migrations.schema_migrations (version, name)
      values (${stamp}, ${`symphony_${version}`}) on conflict do nothing`;
    }
    const stack = await startTestStack({ postgres: { url: clone.url }, net: true });
    try {
      // The local stack writes the secrets at its start; a branch has none.
      await clone.sql`delete from vault.secrets where true`;
      const said = messenger(stack);
      await stack.dispatch({ type: "Note", payload: { text: "waits" } });
      const told = await said("doctor");
      assertEquals(told.code, 1);
      for (const check of ["cron_job ", "cron_jobs", "vault_secrets", "last tick"]) {
        assertMatch(told.out, new RegExp(`^FAILING +${check}`, "m"));
      }
      assertMatch(told.out, /^ {2}npx symphony-messenger doctor --fix$/m);
      assertEquals((await stack.effects()).length, 0);

      assertEquals((await said("doctor --fix")).code, 0);
      await eventually(() => stack.effects(), (effects) => effects.length === 1);
    } finally {
      await stack.stop();
      await clone.drop();
    }
  },
);

Deno.test({
  name: "a pulled or squashed schema knows its version, and takes the next step",
  ignore: !binDir,
}, async () => {
  const { from, text } = await nextMigration();
  const clone = await cloneSchema();
  try {
    const { version } = await asService<{ version: string }>(
      clone.sql,
      "select messenger_version() as version",
    );
    assertEquals(version, from);
    await clone.sql.begin((transaction) =>
      transaction.unsafe(`set local role postgres; ${text}`).simple()
    );
    const after = await asService<{ version: string; origins: number }>(
      clone.sql,
      "select messenger_version() as version, (messenger_health() ->> 'origins')::int as origins",
    );
    assertEquals(after, { version: NEXT, origins: 0 });
    const [jobs] = await clone
      .sql`select count(*)::int as n from cron.job where jobname like 'symphony-%'`;
    assertEquals(jobs?.n, 9, "the step's setup has made the jobs");
  } finally {
    await clone.drop();
  }
});
