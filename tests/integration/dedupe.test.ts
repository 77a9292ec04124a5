/** Uniqueness in SQL: arguments that messenger_dispatch takes and refuses, and its results. */

import { assertEquals, assertRejects } from "@std/assert";
import postgres from "postgres";
import { createTestDatabase } from "../support/database.ts";

async function onDatabase(test: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const database = await createTestDatabase();
  try {
    await test(database.sql);
  } finally {
    await database.drop();
  }
}

const refused: [string, string][] = [
  ["dedupe_key => ''", "dedupe_key: has to be 1 to 255 characters"],
  ["dedupe_key => repeat('x', 256)", "dedupe_key: has to be 1 to 255 characters"],
  ["dedupe_key => 'k', idempotency_key => 'k'", "dedupe_key: give either"],
  ["dedupe_key => 'k', dedupe => 'forever'", "dedupe: has to be"],
  [
    "dedupe_key => 'k', dedupe => 'until-started', dedupe_window => '1 hour'",
    "dedupe: give one of",
  ],
  ["dedupe_key => 'k', dedupe_window => '0'", "dedupe_window: has to be more than zero"],
  ["dedupe => 'until-started'", "dedupe_key: is required"],
  ["dedupe_window => '1 hour'", "dedupe_key: is required"],
];

Deno.test("a dispatch in SQL names the dedupe argument it refuses, and writes nothing", () =>
  onDatabase(async (sql) => {
    for (const [args, message] of refused) {
      const dispatch = () => sql.unsafe(`select public.messenger_dispatch('T', ${args})`);
      const error = await assertRejects(dispatch, postgres.PostgresError, message);
      assertEquals(error.code, "PT400");
    }
    assertEquals((await sql`select from public.messenger_messages`).length, 0);
  }));

Deno.test("a dispatch in SQL with a dedupe key that is held returns the first id", () =>
  onDatabase(async (sql) => {
    const dispatch = async (args: string) => {
      const [row] = await sql.unsafe(`select public.messenger_dispatch('T', ${args})::text as id`);
      return row?.id;
    };
    const windowed = "dedupe_key => 'k', dedupe_window => '10 minutes'";
    const [finished, started, windowedId] = [
      await dispatch("dedupe_key => 'k'"),
      await dispatch("dedupe_key => 's', dedupe => 'until-started'"),
      await dispatch(windowed),
    ];
    await sql`select public.messenger_claim(gen_random_uuid())`;
    assertEquals(await dispatch("dedupe_key => 'k', dedupe => 'until-finished'"), finished);
    assertEquals(await dispatch(windowed), windowedId);
    const again = await dispatch("dedupe_key => 's', dedupe => 'until-started'");
    assertEquals(new Set([finished, started, windowedId, again]).size, 4);
    const [key] = await sql`select scope, key from messenger.idempotency_keys`;
    assertEquals({ ...key }, { scope: "dedupe:T", key: "k" });
  }));

Deno.test("a dedupe key of a dispatch that rolls back is not held", () =>
  onDatabase(async (sql) => {
    await sql.begin(async (transaction) => {
      await transaction`select public.messenger_dispatch('T', dedupe_key => 'k')`;
      throw new Error("undo");
    }).catch(() => {});
    await sql`select public.messenger_dispatch('T', dedupe_key => 'k')`;
    assertEquals((await sql`select from public.messenger_messages`).length, 1);
  }));
