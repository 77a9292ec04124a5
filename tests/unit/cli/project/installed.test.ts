/** The release that a project's migrations lead to, however the SQL is written. */

import { assertEquals } from "@std/assert";
import { installedVersion } from "../../../../cli/project/installed.ts";
import { releases } from "../../../../cli/releases.ts";

const DUMP = `CREATE OR REPLACE FUNCTION "public"."messenger_version"() RETURNS "text"
    LANGUAGE "sql" IMMUTABLE PARALLEL SAFE
    SET "search_path" TO ''
    AS $$ select '0.2.0'::text $$;`;
const PULL = `CREATE FUNCTION public.messenger_version ()
  RETURNS text
  LANGUAGE sql
  IMMUTABLE PARALLEL SAFE SET search_path TO ''
  AS $function$ select '0.3.0-rc.1'::text $function$;`;
const QUOTED =
  "create function messenger_version() returns text language sql as ' select ''0.4.0''::text '";
const STANDARD = "CREATE FUNCTION public.messenger_version() RETURNS text RETURN '0.5.0'::text;";
const DROP = "drop function if exists public.messenger_version();";

const cases: [name: string, migrations: string[], expected: string | null][] = [
  ["no migration", [], null],
  ["another function", ["create function version() returns text as $$ select '1.0.0' $$;"], null],
  ["a call of it", ["select public.messenger_version();"], null],
  ["the release as it is", [releases()[0]?.sql ?? ""], releases()[0]?.version ?? ""],
  ["a dump", [DUMP], "0.2.0"],
  ["a pull", [PULL], "0.3.0-rc.1"],
  ["a body in quotes", [QUOTED], "0.4.0"],
  ["a body of standard SQL", [STANDARD], "0.5.0"],
  ["several releases", [STANDARD, DUMP], "0.5.0"],
  ["several releases in one file", [DUMP + QUOTED], "0.4.0"],
  ["a release that was uninstalled", [DUMP, DROP], null],
  ["a release after an uninstallation", [STANDARD, DROP, DUMP], "0.2.0"],
];
for (const [name, migrations, expected] of cases) {
  Deno.test(`${name} is ${expected ?? "no release"}`, () => {
    const files = migrations.map((text, at) => [`supabase/migrations/${at}_a.sql`, text] as const);
    assertEquals(installedVersion(new Map(files)), expected);
  });
}

Deno.test("SQL in another folder does not count", () => {
  assertEquals(installedVersion(new Map([["supabase/seed.sql", DUMP]])), null);
});
