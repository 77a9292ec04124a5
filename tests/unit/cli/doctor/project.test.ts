/** The doctor over the files of a project. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { planInit } from "../../../../cli/init/plan-init.ts";
import { checkProject } from "../../../../cli/doctor/project.ts";
import type { Release } from "../../../../cli/releases.ts";
import { carriedOut, FIRST, project, release } from "../../../support/project_files.ts";

const NOW = new Date("2026-12-01T00:00:00Z");
const LATER = "supabase/migrations/20261130000000_mine.sql";

/** A project with the first release. */
function installed(): Map<string, string> {
  const before = project();
  const options = { releases: [FIRST], now: new Date("2026-11-26T00:00:00Z") };
  return carriedOut(before, planInit(before, options));
}

function faults(files: Map<string, string>, releases: readonly Release[] = [FIRST]) {
  return checkProject(files, releases, NOW).filter(({ ok }) => !ok);
}

Deno.test("a project as init writes it has no fault", () => {
  assertEquals(faults(installed()), []);
});

Deno.test("a project that init has not set up is told as such, and judged no further", () => {
  const checks = checkProject(project(), [FIRST], NOW);
  assertEquals(checks.map(({ name, ok }) => [name, ok]), [["project", true]]);
});

Deno.test("a release that is missing is added by upgrade", () => {
  const [fault] = faults(installed(), [FIRST, release("0.2.0")]);
  assertEquals([fault?.name, fault?.command], [
    "project: release",
    "npx symphony-messenger upgrade",
  ]);
});

Deno.test("a function that is gone or another's, and a gateway's JWT check, are told", () => {
  const files = installed();
  files.set("supabase/functions/tick/index.ts", "Deno.serve(() => new Response());\n");
  files.delete("supabase/functions/dispatch/index.ts");
  files.set(
    "supabase/config.toml",
    (files.get("supabase/config.toml") ?? "").replaceAll("verify_jwt = false", "verify_jwt = true"),
  );
  const told = faults(files).filter(({ command }) => command !== null);
  assertEquals(told.map(({ name }) => name), [
    "project: supabase/functions/dispatch/index.ts",
    "project: supabase/functions/tick/index.ts",
    "project: functions.dispatch.verify_jwt",
    "project: functions.tick.verify_jwt",
    "project: functions.messenger.verify_jwt",
  ]);
  assertEquals(told[1]?.found, "another function");
});

Deno.test("a later migration that drops or alters an object of the bus is told with its line", () => {
  const texts = [
    ["drop function if exists public.messenger_dispatch(text);", "drop function"],
    ['alter table "public"."messenger_messages" drop column type;', "alter table"],
    ["drop schema messenger cascade;", "drop schema messenger"],
    ["select cron.unschedule('symphony-tick');", "symphony-tick"],
  ] as const;
  for (const [text, found] of texts) {
    const [fault] = faults(installed().set(LATER, `select 1;\n${text}\n`));
    assertEquals(fault?.name, `project: ${LATER}:2`, text);
    assertStringIncludes(String(fault?.found), found);
  }
});

Deno.test("a migration of the user's own tables is none of the doctor's business", () => {
  const text = "alter table public.orders add column x int; drop view my_messenger_view;";
  assertEquals(faults(installed().set(LATER, text)), []);
});

Deno.test("a function of ours that has lost its mark is told once, with the line that mends it", () => {
  const path = "supabase/functions/tick/index.ts";
  const files = installed();
  files.set(path, (files.get(path) ?? "").replace("// symphony-messenger", "// mine"));
  const advices = faults(files).map(({ name, advice }) => [name, advice]);
  const mending =
    "If it is ours, put `// symphony-messenger` back as its first line: by it our functions are known.";
  assertEquals(advices, [[`project: ${path}`, mending]]);
  const { notes } = planInit(files, { releases: [FIRST], now: NOW });
  assertEquals(notes.map(({ path, advice }) => [`project: ${path}`, advice]), advices);
});
