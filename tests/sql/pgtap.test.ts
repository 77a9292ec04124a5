/** Each file `tests/sql/<function>/<behaviour>.sql` is one test, in a transaction of its own. */

import postgres from "postgres";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { installPgTap, runPgTap } from "../support/pgtap.ts";

const here = new URL(".", import.meta.url);
let database: TestDatabase;
let sql: postgres.Sql;

Deno.test.beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, {
    max: 1,
    onnotice: () => {},
    connection: { search_path: "public, extensions", TimeZone: "UTC" },
  });
  await installPgTap(sql);
  await sql.unsafe(await Deno.readTextFile(new URL("helpers.sql", here))).simple();
});

Deno.test.afterAll(async () => {
  await sql.end();
  await database.drop();
});

for (const folder of namesIn(here, (entry) => entry.isDirectory)) {
  for (const file of namesIn(new URL(`${folder}/`, here), (entry) => entry.name.endsWith(".sql"))) {
    const behaviour = file.replace(/\.sql$/, "").replaceAll("_", " ");
    Deno.test(`${folder}: ${behaviour}`, async () => {
      // Rows that earlier tests rolled back are still in the pages; this test may count the rows that it reads.
      await sql`vacuum public.messenger_messages, public.messenger_failed_messages`;
      await runPgTap(sql, await Deno.readTextFile(new URL(`${folder}/${file}`, here)));
    });
  }
}

function namesIn(folder: URL, wanted: (entry: Deno.DirEntry) => boolean): string[] {
  return [...Deno.readDirSync(folder)].filter(wanted).map((entry) => entry.name).sort();
}
