/** Which functions run with their owner's rights: SECURITY.md says what the catalog says. */

import { assertEquals } from "@std/assert";
import { createTestDatabase } from "../support/database.ts";

Deno.test("SECURITY.md names each function that runs with its owner's rights, and no other", async () => {
  const database = await createTestDatabase();
  try {
    const rows = await database.sql<{ name: string; args: string }[]>`
      select n.nspname || '.' || p.proname as name, pg_catalog.pg_get_function_identity_arguments(p.oid) as args
      from pg_catalog.pg_proc p
      join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where p.prosecdef and n.nspname in ('public', 'messenger')
      order by 1`;
    const security = await Deno.readTextFile(new URL("../../SECURITY.md", import.meta.url));
    const [, list = ""] = /owner's rights:\n(.*?)\n- /s.exec(security) ?? [];
    const named = [...list.matchAll(/^\s*- `([\w.]+)\(([^)]*)\)`/gm)];
    assertEquals(named.map(([, name]) => name).sort(), rows.map(({ name }) => name));
    assertEquals(named.map(([, , args]) => args).sort(), rows.map(({ args }) => args).sort());
  } finally {
    await database.drop();
  }
});
