/** The doctor over the releases of the files and of the database. */

import { assertEquals } from "@std/assert";
import { checkHistory } from "../../../../cli/doctor/history.ts";

const cases: [files: string, schema: string, ok: boolean, command: string | null][] = [
  ["0.2.0", "0.2.0", true, null],
  ["0.10.0", "0.9.0", false, "npx supabase db push --remote --yes"],
  ["0.2.0-beta.1", "0.2.0", false, null],
];
for (const [files, schema, ok, command] of cases) {
  Deno.test(`files of release ${files} beside a database of ${schema} are ${ok ? "right" : "told"}`, () => {
    const check = checkHistory(files, schema);
    assertEquals([check.ok, check.command], [ok, command]);
    assertEquals(check.found, `migrations ${files}, database ${schema}`);
  });
}
