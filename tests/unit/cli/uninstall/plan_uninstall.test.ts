/** The plan of `uninstall`: which files go, and which stay. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { planInit } from "../../../../cli/init/plan-init.ts";
import { installedVersion } from "../../../../cli/project/installed.ts";
import { planUninstall } from "../../../../cli/uninstall/plan-uninstall.ts";
import { carriedOut, FIRST, project, warnings } from "../../../support/project_files.ts";

const OPTIONS = { releases: [FIRST], now: new Date("2026-12-01T00:00:00Z") };
const MIGRATION = "supabase/migrations/20261201000000_symphony_uninstall.sql";

function installed(files: Record<string, string | undefined> = {}, prefix?: string) {
  const before = project(files);
  const now = new Date("2026-11-26T00:00:00Z");
  return carriedOut(before, planInit(before, { ...OPTIONS, now, ...(prefix && { prefix }) }));
}

for (
  const [shape, files, prefix] of [
    ["a small project", {}, undefined],
    ["a project with a prefix", { "supabase/functions/tick/index.ts": "mine" }, "bus-"],
    ["a project with settings of its own", {
      "supabase/config.toml": "# mine\n[db]\nport = 1\n\n[functions.mine]\nverify_jwt = true\n",
    }, undefined],
    ["a project with config.jsonc", {
      "supabase/config.toml": undefined,
      "supabase/config.jsonc": '{\n  // mine\n  "project_id": "p"\n}\n',
    }, undefined],
    ["a project with a declarative tree", { "supabase/schemas/a.sql": "select 1;" }, undefined],
  ] as [string, Record<string, string | undefined>, string | undefined][]
) {
  Deno.test(`${shape} is as before init, but for its migrations`, () => {
    const before = installed(files, prefix);
    const after = carriedOut(before, planUninstall(before, { ...OPTIONS, force: false }));
    const isMigration = (path: string) => path.startsWith("supabase/migrations/");
    for (const path of before.keys()) if (isMigration(path)) assertEquals(after.has(path), true);
    const rest = new Map([...after].filter(([path]) => !isMigration(path)));
    assertEquals(rest, project(files));
    assertEquals(installedVersion(after), null);
    assertEquals(planUninstall(after, { ...OPTIONS, force: false }).changes, []);
  });
}

Deno.test("messages of the user's stay", () => {
  const before = installed();
  before.set("supabase/functions/_messages/mine.ts", "export const a = 1;");
  const planned = planUninstall(before, { ...OPTIONS, force: false });
  assertEquals(warnings(planned), ["supabase/functions/_messages"]);
  assertEquals(planned.changes.some(({ path }) => path.includes("_messages")), false);
});

Deno.test("a file of the user's in a folder of ours stays, and is told", () => {
  const before = installed();
  before.set("supabase/functions/tick/mine.ts", "1");
  before.set(
    "supabase/functions/tick/index.ts",
    `${before.get("supabase/functions/tick/index.ts")}1;`,
  );
  const planned = planUninstall(before, { ...OPTIONS, force: false });
  assertEquals(warnings(planned), [
    "supabase/functions/tick/mine.ts",
    "supabase/functions/tick/index.ts",
  ]);
});

Deno.test("a project without us gets no change", () => {
  assertEquals(planUninstall(project(), { ...OPTIONS, force: false }).changes, []);
});

Deno.test("the migration keeps messages that wait, unless it is forced", () => {
  const sql = (force: boolean) =>
    planUninstall(installed(), { ...OPTIONS, force }).changes
      .find(({ path }) => path === MIGRATION)?.text ?? "";
  assertStringIncludes(sql(false), "they would be lost");
  assertEquals(sql(true).includes("they would be lost"), false);
  assertStringIncludes(sql(true), "drop function if exists public.messenger_version()");
});
