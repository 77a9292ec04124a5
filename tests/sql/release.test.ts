/** The step from one release to the next, as `deno task release` writes it. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import { checkObjects } from "../../cli/doctor/objects.ts";
import { releases } from "../../cli/releases.ts";
import { publish, release } from "../../local/release.ts";
import { migrationsIn, readSchemas, versionOf } from "../../local/release_source.ts";
import { readCatalog } from "../../local/catalog.ts";
import { createTestDatabase } from "../support/database.ts";
import {
  changeSource,
  NEXT,
  nextMigration,
  publishedFolder,
  TABLES,
  testDatabases,
} from "../support/next_release.ts";

const next = await nextMigration();

/** Applies the step as the owner, in a transaction, as `supabase db push` does. */
async function apply(sql: postgres.Sql, text = next.text): Promise<void> {
  await sql.begin((transaction) => transaction.unsafe(`set local role postgres; ${text}`).simple());
}

async function refusal(applying: Promise<void>): Promise<postgres.PostgresError> {
  return await assertRejects(() => applying, postgres.PostgresError);
}

Deno.test("a step changes the tables, functions and comments, and the version", async () => {
  const database = await createTestDatabase();
  try {
    const { sql } = database;
    await sql`select messenger_dispatch('Before')`;
    await apply(sql);
    const [row] =
      await sql`select messenger_version() as version, (messenger_health() ->> 'origins')::int as origins,
      (messenger_start_tick(runs_on => 'worker') ->> 'proceed')::boolean as proceeds`;
    assertEquals(row, { version: NEXT, origins: 1, proceeds: true });
    const [{ open } = { open: null }] = await sql`select has_function_privilege('anon',
      'messenger_start_tick(bigint, boolean, text[], double precision, text)', 'execute') as open`;
    assertEquals(open, false, "a new function is open to the service role alone");
  } finally {
    await database.drop();
  }
});

Deno.test("the objects after a step are those that the doctor expects of its release", async () => {
  const database = await createTestDatabase();
  try {
    await apply(database.sql);
    const [{ objects } = { objects: null }] = await database
      .sql`select messenger_objects() as objects`;
    const all = [...releases(), { version: NEXT, sql: next.text, sha256: "" }];
    assertEquals(checkObjects(objects, all).found, `as release ${NEXT} has them`);
    const before = checkObjects({ ...objects, version: next.from }, all);
    assertStringIncludes(String(before.found), "public.messenger_health was changed");
  } finally {
    await database.drop();
  }
});

Deno.test("a step begins with a bound for its locks, and holds nothing that did not change", () => {
  assertStringIncludes(next.text, "set local lock_timeout = '5s';");
  assert(!next.text.includes("messenger_claim("), "the claim did not change");
  assert(!/create or replace function messenger\.function_prefix/i.test(next.text));
});

Deno.test("a step is refused on another version than the one it leads from", async () => {
  const database = await createTestDatabase();
  try {
    await apply(database.sql);
    const twice = await refusal(apply(database.sql));
    assertStringIncludes(
      twice.message,
      `the schema is Symphony Messenger ${NEXT}, and this migration leads from ${next.from} to ${NEXT}`,
    );
    await database.sql.unsafe("drop function public.messenger_version()");
    const none = await refusal(apply(database.sql));
    assertStringIncludes(none.message, `the schema has to be ${next.from}`);
  } finally {
    await database.drop();
  }
});

Deno.test("a step that cannot lock a table fails with 55P03, and nothing is changed", async () => {
  const database = await createTestDatabase();
  try {
    const before = await readCatalog(database.sql);
    await database.sql.begin(async (holder) => {
      await holder`select from public.messenger_messages limit 1`;
      const soon = next.text.replace("lock_timeout = '5s'", "lock_timeout = '50ms'");
      assertEquals((await refusal(apply(database.sql, soon))).code, "55P03");
    });
    assertEquals(await readCatalog(database.sql), before);
    await apply(database.sql);
  } finally {
    await database.drop();
  }
});

Deno.test("a change of tables that is not written down is named, and no version is changed", async () => {
  await using folder = await publishedFolder();
  await changeSource(folder);
  const error = await assertRejects(() => release(NEXT, folder.path, testDatabases), Error);
  assertStringIncludes(error.message, "column | messenger_messages");
  assertStringIncludes(error.message, `supabase/upgrades/${NEXT}.sql`);
  assertEquals(versionOf(await readSchemas(folder.path)), next.from);
  assertEquals(migrationsIn(folder.path), migrationsIn());
});

Deno.test("a published release is not written again, nor one before it", async () => {
  await using folder = await publishedFolder();
  for (const version of [next.from, "0.0.9"]) {
    await assertRejects(
      () => release(version, folder.path, testDatabases),
      Error,
      `version: has to come after ${next.from}, which is published (was ${version})`,
    );
  }
  await assertRejects(() => release("1.2", folder.path), Error, "version: has to be like 1.2.3");
  await assertRejects(() => publish(next.from, folder.path), Error, "is published already");
  await assertRejects(() => publish(NEXT, folder.path), Error, "release it first");
});

Deno.test("a release is written again until it is published, under the same name", async () => {
  await using folder = await publishedFolder();
  await changeSource(folder);
  await Deno.writeTextFile(`${folder.path}upgrades/${NEXT}.sql`, TABLES);
  const first = await release(NEXT, folder.path, testDatabases);
  assertEquals(await release(NEXT, folder.path, testDatabases), first);
  const library = await Deno.readTextFile(
    `${folder.path}functions/_shared/symphony/runtime/version.ts`,
  );
  assertStringIncludes(library, `VERSION = "${NEXT}"`);
  await publish(NEXT, folder.path);
  await assertRejects(() => release(NEXT, folder.path, testDatabases), Error, "which is published");
});
