/** The source of the SQL, `supabase/schemas`, and its history, `supabase/migrations`, make one database. */

import { assert, assertEquals } from "@std/assert";
import { sha256Of } from "../../cli/releases.ts";
import { findDifference } from "../../local/release.ts";
import { migrationsIn, readPublished, readSchemas, SUPABASE } from "../../local/release_source.ts";
import { REMOVE_ALL } from "../../local/release_step.ts";
import { readCatalog } from "../../local/catalog.ts";
import { createTestDatabase } from "../support/database.ts";

Deno.test("the unreleased migration is the source, as deno task release writes it", async () => {
  const difference = await findDifference();
  assert(difference === null, `${difference}: run deno task release <version>`);
});

Deno.test("the migrations and the source, file by file, make the same catalog", async () => {
  const database = await createTestDatabase();
  try {
    const migrated = await readCatalog(database.sql);
    await database.sql.unsafe(REMOVE_ALL).simple();
    for (const { name, text } of await readSchemas()) {
      await database.sql.begin((transaction) =>
        transaction.unsafe(`set local role postgres; ${text}`).simple()
      ).catch((error) => {
        throw new Error(`supabase/schemas/${name}: ${error.message}`, { cause: error });
      });
    }
    const made = await readCatalog(database.sql);
    for (const kind of ["relation", "column", "constraint", "index", "trigger", "routine", "job"]) {
      assert(migrated.some((line) => line.startsWith(`${kind} | `)), `the catalog has no ${kind}`);
    }
    assertEquals(made, migrated);
  } finally {
    await database.drop();
  }
});

Deno.test("a published migration is as it was when it was published", async () => {
  const published = await readPublished();
  for (const { name, version } of migrationsIn()) {
    if (!(version in published)) continue;
    const text = await Deno.readTextFile(`${SUPABASE}migrations/${name}`);
    assertEquals(sha256Of(text), published[version], `${name} was changed after its release`);
  }
  const present = migrationsIn().map(({ version }) => version);
  for (const version of Object.keys(published)) {
    assert(present.includes(version), `the migration of ${version} is not there any more`);
  }
});
