/** The source of the SQL, `supabase/schemas`, and its history, `supabase/migrations`, make one database. */

import { assert, assertEquals } from "@std/assert";
import { findDifference, readSchemas } from "../../local/release.ts";
import { readCatalog } from "../support/catalog.ts";
import { createTestDatabase } from "../support/database.ts";

/** Takes away what the migrations made. */
const REMOVE_ALL = `
  drop schema messenger, public cascade;
  create schema public authorization postgres;
  delete from cron.job where jobname like 'symphony-%';`;

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
