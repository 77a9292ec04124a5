/** The doctor over the releases and the migrations of the files and of the database. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { checkApplied, checkHistory } from "../../../../cli/doctor/history.ts";

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

const files = ["20270101000000", "20270201000000"].map((stamp) => ({
  stamp,
  name: `${stamp}_notes.sql`,
}));

Deno.test("migrations that the database has, and those that are pushed next, are right", () => {
  const both = checkApplied(files, ["20270101000000", "20270201000000"]);
  assertEquals([both.ok, both.found], [true, "2 applied"]);
  const one = checkApplied(files, ["20270101000000"]);
  assertEquals([one.ok, one.found], [true, "1 applied, 1 to push"]);
});

Deno.test("a migration that is applied and has no file is told by its stamp, with the remedies", () => {
  const { ok, found, advice } = checkApplied(files, ["20260101000000", "20270101000000"]);
  assertEquals([ok, found], [false, "applied, and not among the files: 20260101000000"]);
  assertStringIncludes(advice ?? "", "migration repair --remote --status reverted 20260101000000");
});

Deno.test("a migration that sorts before an applied one needs --include-all", () => {
  const { ok, found, command } = checkApplied(files, ["20270201000000"]);
  assertEquals(ok, false);
  assertStringIncludes(String(found), "20270101000000_notes.sql");
  assertEquals(command, "npx supabase db push --remote --yes --include-all");
});
