/** The plan of `upgrade`: its files, its warnings and its refusals. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { planInit } from "../../../../cli/init/plan-init.ts";
import { planUpgrade } from "../../../../cli/upgrade/plan-upgrade.ts";
import type { Release } from "../../../../cli/releases.ts";
import {
  carriedOut,
  FIRST,
  project,
  refusals,
  release,
  warnings,
} from "../../../support/project_files.ts";

const NOW = new Date("2026-12-01T00:00:00Z");
const SECOND = release("0.2.0", "alter table public.messenger_messages add more int;");
const THIRD = release("0.3.0");
const MAP = "supabase/functions/_messages/import_map.json";
const FIRST_FILE = "supabase/migrations/20261126000000_symphony_0.1.0.sql";

/** A project with the first release, and files of its own. */
function installed(files: Record<string, string> = {}, prefix?: string): Map<string, string> {
  const before = project(files);
  const options = { releases: [FIRST], now: new Date("2026-11-26T00:00:00Z") };
  return carriedOut(before, planInit(before, { ...options, ...(prefix && { prefix }) }));
}

function plan(files: Map<string, string>, releases: readonly Release[] = [FIRST, SECOND, THIRD]) {
  return planUpgrade(files, { releases, now: NOW });
}

Deno.test("each later release becomes a migration, and the import map changes by its own lines", () => {
  const files = installed();
  const { changes, notes, from, to } = plan(files);
  assertEquals([from, to, notes.length], ["0.1.0", "0.3.0", 0]);
  assertEquals(changes.map(({ path }) => path), [
    "supabase/migrations/20261201000000_symphony_0.2.0.sql",
    "supabase/migrations/20261201000001_symphony_0.3.0.sql",
    MAP,
  ]);
  assertEquals(changes[0]?.text, SECOND.sql);
  assertEquals(changes[2]?.text, files.get(MAP)?.replaceAll("@0.1.0", "@0.3.0"));
});

Deno.test("a second upgrade changes nothing", () => {
  const files = installed();
  assertEquals(plan(carriedOut(files, plan(files))).changes, []);
});

Deno.test("the migrations come after the last one, whatever its time", () => {
  const path = "supabase/migrations/20300101000000_a.sql";
  const { changes } = plan(new Map([...installed(), [path, "select 1;"]]));
  assertEquals(changes[0]?.path, "supabase/migrations/20300101000001_symphony_0.2.0.sql");
});

Deno.test("a squashed project is upgraded by what its one file holds", () => {
  const files = installed();
  files.delete(FIRST_FILE);
  files.set("supabase/migrations/20261127000000_squashed.sql", `-- all\n${FIRST.sql}`);
  const planned = plan(files, [FIRST, SECOND]);
  assertEquals(planned.changes[0]?.path, "supabase/migrations/20261201000000_symphony_0.2.0.sql");
  assertEquals(planned.notes, []);
});

Deno.test("the file of a declarative tree is written again", () => {
  const files = installed({ "supabase/schemas/a.sql": "create table a (id int);" });
  const tree = plan(files).changes.find(({ path }) => path === "supabase/schemas/symphony.sql");
  assertStringIncludes(tree?.text ?? "", "add more int");
});

const refused: [string, (files: Map<string, string>) => void, readonly Release[], string][] = [
  [
    "a project without us",
    (files) => files.delete(FIRST_FILE),
    [FIRST, SECOND],
    "supabase/migrations",
  ],
  ["a schema newer than the package", () => {}, [release("0.0.9")], "supabase/migrations"],
  [
    "functions newer than the package",
    (files) => files.set(MAP, files.get(MAP)?.replaceAll("@0.1.0", "@0.9.0") ?? ""),
    [FIRST, SECOND],
    MAP,
  ],
  ["a release that the package does not know", () => {}, [release("0.2.0")], "supabase/migrations"],
  ["a project without the import map", (files) => files.delete(MAP), [FIRST, SECOND], MAP],
  ["an import map that is no JSON", (files) => files.set(MAP, "{"), [FIRST, SECOND], MAP],
  [
    "a last migration that nothing sorts behind",
    (files) => files.set("supabase/migrations/99999999999999_a.sql", "select 1;"),
    [FIRST, SECOND],
    "supabase/migrations/99999999999999_a.sql",
  ],
];
for (const [what, change, releases, where] of refused) {
  Deno.test(`${what} is refused`, () => {
    const files = installed();
    change(files);
    const planned = plan(files, releases);
    assertEquals(refusals(planned), [where]);
  });
}

const warned: [string, string, (text: string) => string, string?][] = [
  ["an edited release", FIRST_FILE, (text) => `${text}\n-- mine`],
  ["an edited function", "supabase/functions/tick/index.ts", (text) => `${text}\nconsole.log(1);`],
  ["a function that is gone", "supabase/functions/tick/index.ts", () => ""],
  [
    "a file with a version of its own",
    "supabase/functions/mine/index.ts",
    () => 'import "npm:symphony-messenger@0.0.1";',
  ],
];
for (const [what, path, change] of warned) {
  Deno.test(`${what} is warned of, and stays as it is`, () => {
    const files = installed();
    files.set(path, change(files.get(path) ?? ""));
    const planned = plan(files);
    assertEquals(warnings(planned), [path]);
    assertEquals(planned.changes.some((change) => change.path === path), false);
  });
}

Deno.test("a release with Windows line ends counts as unedited", () => {
  const files = installed();
  files.set(FIRST_FILE, FIRST.sql.replaceAll("\n", "\r\n"));
  assertEquals(plan(files).notes, []);
});

Deno.test("the prefix of the functions is found", () => {
  const planned = plan(installed({}, "bus-"));
  assertEquals([planned.prefix, planned.notes.length], ["bus-", 0]);
});
