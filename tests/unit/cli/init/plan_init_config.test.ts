/** The plan of `init`: what it does with a config and with import maps. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { planInit } from "../../../../cli/init/plan-init.ts";
import { parseJsonc } from "../../../../cli/project/config-json.ts";
import { describeNote } from "../../../../cli/project/plan.ts";
import { FIRST, project, refusals, warnings } from "../../../support/project_files.ts";

const NOW = new Date("2026-11-26T10:20:30Z");
function plan(
  files: Record<string, string | undefined> = {},
  options: { prefix?: string; now?: Date } = {},
) {
  return planInit(project(files), { releases: [FIRST], now: NOW, ...options });
}

Deno.test("config.json takes precedence over config.toml, which is told", () => {
  const planned = plan({ "supabase/config.json": '{\n\t"project_id": "p"\n}\n' });
  assertEquals(warnings(planned), ["supabase/config.toml"]);
  const config = planned.changes.filter(({ path }) => /config\.(json|toml)$/.test(path));
  assertEquals(config.map(({ path }) => path), ["supabase/config.json"]);
  const data = parseJsonc(config[0]?.text ?? "");
  assertEquals(data.functions, {
    dispatch: { verify_jwt: false },
    tick: { verify_jwt: false },
    messenger: { verify_jwt: false },
  });
  assertMatch(config[0]?.text ?? "", /\n\t\t"dispatch": \{\n/);
});

Deno.test("config.json beside config.jsonc is refused, as the Supabase CLI refuses it", () => {
  const planned = plan({ "supabase/config.json": "{}", "supabase/config.jsonc": "{}" });
  assertEquals(refusals(planned), ["supabase/config.jsonc"]);
});

const settings: [string, string, string[]][] = [
  ["verify_jwt that is true", "[functions.tick]\nverify_jwt = true", ["supabase/config.toml"]],
  ["an import map of its own", '[functions.tick]\nimport_map = "./x.json"', [
    "supabase/config.toml",
  ]],
  ["an entrypoint elsewhere", '[functions.tick]\nentrypoint = "./x.ts"', ["supabase/config.toml"]],
  ["verify_jwt that is true on a branch", "[remotes.a.functions.tick]\nverify_jwt = true", [
    "supabase/config.toml",
  ]],
  ["a function that is disabled", "[functions.tick]\nenabled = false", ["supabase/config.toml"]],
  ["our own import map", '[functions.tick]\nimport_map = "functions/tick/deno.json"', []],
  ["our own entrypoint", '[functions.tick]\nentrypoint = "./functions/tick/index.ts"', []],
  ["a table in an array", "[[functions]]\nname = 1", ["supabase/config.toml"]],
  ["no TOML", "[functions", ["supabase/config.toml:1"]],
];
for (const [what, toml, expected] of settings) {
  Deno.test(`a config with ${what} is ${expected.length > 0 ? "refused" : "taken"}`, () => {
    assertEquals(refusals(plan({ "supabase/config.toml": toml })), expected);
  });
}

Deno.test("a config into which nothing can be inserted safely gets no change, and the snippet is told", () => {
  const planned = plan({ "supabase/config.toml": "[[functions]]\nname = 1\n" });
  const [note] = planned.notes;
  assertEquals(refusals(planned), ["supabase/config.toml"]);
  assertStringIncludes(
    note ? describeNote(note) : "",
    "[functions.dispatch]\n  verify_jwt = false",
  );
});

const maps: [string, Record<string, string>, { refused?: string; warned?: string }][] = [
  [
    "a function's import_map.json that the config does not name",
    { "supabase/functions/a/import_map.json": "{}" },
    { warned: "supabase/functions/a/import_map.json" },
  ],
  [
    "a function's import_map.json beside its deno.json",
    { "supabase/functions/a/import_map.json": "{}", "supabase/functions/a/deno.json": "{}" },
    {},
  ],
  [
    "a function's import_map.json that the config names",
    {
      "supabase/functions/a/import_map.json": "{}",
      "supabase/config.toml": '[functions.a]\nimport_map = "./functions/a/import_map.json"\n',
    },
    {},
  ],
  ["an import map for all functions", { "supabase/functions/import_map.json": "{}" }, {}],
  [
    "a lock file of version 5",
    { "supabase/functions/a/deno.lock": '{"version": "5"}' },
    { warned: "supabase/functions/a/deno.lock" },
  ],
  ["a lock file of version 4", { "supabase/functions/a/deno.lock": '{"version": "4"}' }, {}],
  [
    "zod 3 in the shared import map",
    { "supabase/functions/_messages/import_map.json": '{"imports":{"zod":"npm:zod@^3.24.1"}}' },
    { refused: "supabase/functions/_messages/import_map.json" },
  ],
  [
    "zod 3 from JSR in the shared import map",
    { "supabase/functions/_messages/import_map.json": '{"imports":{"zod":"jsr:@zod/zod@3"}}' },
    { refused: "supabase/functions/_messages/import_map.json" },
  ],
  [
    "zod 3 from a site in the shared import map",
    {
      "supabase/functions/_messages/import_map.json":
        '{"imports":{"zod":"https://deno.land/x/zod@v3.22.4/mod.ts"}}',
    },
    { refused: "supabase/functions/_messages/import_map.json" },
  ],
  [
    "zod 3 in a function",
    { "supabase/functions/a/deno.json": '{"imports":{"zod":"npm:zod@3.24.1"}}' },
    { warned: "supabase/functions/a/deno.json" },
  ],
  [
    "a shared import map that is no JSON",
    { "supabase/functions/_messages/import_map.json": '{\n"imports": ' },
    { refused: "supabase/functions/_messages/import_map.json:2" },
  ],
];
for (const [what, files, { refused, warned }] of maps) {
  const verdict = refused ? "refused" : warned ? "warned of" : "taken";
  Deno.test(`${what} is ${verdict}`, () => {
    const planned = plan(files);
    assertEquals(refusals(planned), refused ? [refused] : []);
    assertEquals(warnings(planned), warned ? [warned] : []);
  });
}

Deno.test("a shared import map of the user's keeps its entries and gets ours", () => {
  const path = "supabase/functions/_messages/import_map.json";
  const text = '{\r\n    "imports": {\r\n        "zod": "npm:zod@4.1.0"\r\n    }\r\n}\r\n';
  const planned = plan({ [path]: text });
  const after = planned.changes.find((change) => change.path === path)?.text ?? "";
  assertEquals(after.replaceAll("\r\n", "").includes("\n"), false);
  assertEquals(JSON.parse(after).imports, {
    zod: "npm:zod@4.1.0",
    "symphony-messenger": "npm:symphony-messenger@0.1.0",
    "symphony-messenger/": "npm:/symphony-messenger@0.1.0/",
  });
});
