/** The plan of `init` in projects of many shapes: its files and its refusals. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "smol-toml";
import { planInit } from "../../../../cli/init/plan-init.ts";
import {
  carriedOut,
  FIRST,
  project,
  refusals,
  release,
  warnings,
} from "../../../support/project_files.ts";

const NOW = new Date("2026-11-26T10:20:30Z");
const STAMP = "20261126102030";

function plan(
  files: Record<string, string | undefined> = {},
  options: { prefix?: string; now?: Date } = {},
) {
  return planInit(project(files), { releases: [FIRST], now: NOW, ...options });
}

/** The path of the migration that a plan adds. */
function migrationOf({ changes }: { changes: readonly { path: string }[] }): string | undefined {
  return changes.find(({ path }) => path.endsWith("_symphony_0.1.0.sql"))?.path;
}

Deno.test("an empty project gets functions, messages, a migration and settings", () => {
  const { changes, notes } = plan();
  assertEquals(notes, []);
  assertEquals(changes.map(({ path }) => path.replace("supabase/", "")), [
    ...["dispatch", "tick", "messenger"].flatMap((name) => [
      `functions/${name}/index.ts`,
      `functions/${name}/deno.json`,
    ]),
    ...["import_map.json", "mod.ts", "schedules.ts", "config.ts", "example.ts"]
      .map((name) => `functions/_messages/${name}`),
    `migrations/${STAMP}_symphony_0.1.0.sql`,
    "config.toml",
  ]);
  const after = carriedOut(project(), { changes, notes });
  assertEquals(after.get(`supabase/migrations/${STAMP}_symphony_0.1.0.sql`), FIRST.sql);
  assertMatch(after.get("supabase/functions/tick/index.ts") ?? "", /^\/\/ symphony-messenger\n/);
  assertEquals(parse(after.get("supabase/config.toml") ?? ""), {
    project_id: "p",
    functions: {
      dispatch: { verify_jwt: false },
      tick: { verify_jwt: false },
      messenger: { verify_jwt: false },
    },
    db: {
      vault: {
        symphony_url: "env(SYMPHONY_URL)",
        symphony_secret_key: "env(SYMPHONY_SECRET_KEY)",
      },
    },
  });
  assertEquals(JSON.parse(after.get("supabase/functions/_messages/import_map.json") ?? ""), {
    imports: {
      "symphony-messenger": "npm:symphony-messenger@0.1.0",
      "symphony-messenger/": "npm:/symphony-messenger@0.1.0/",
      zod: "npm:zod@4.6.7",
    },
  });
});

for (
  const [shape, files, prefix] of [
    ["an empty project", {}, undefined],
    ["a project with a prefix", { "supabase/functions/tick/index.ts": "mine" }, "bus-"],
    ["a config.json", { "supabase/config.toml": undefined, "supabase/config.json": "{}" }],
    ["a declarative tree", { "supabase/schemas/a.sql": "create table a (id int);" }],
  ] as [string, Record<string, string | undefined>, string | undefined][]
) {
  Deno.test(`${shape}: a second init changes nothing, whatever the time`, () => {
    const before = project(files);
    const options = { releases: [FIRST], now: NOW, ...(prefix !== undefined && { prefix }) };
    const after = carriedOut(before, planInit(before, options));
    const later = new Date("2030-01-01T00:00:00Z");
    assertEquals(planInit(after, { releases: [FIRST], now: later }).changes, []);
    assertEquals(planInit(after, { ...options, now: later }).changes, []);
  });
}

Deno.test("files of the user's are not touched", () => {
  const files = {
    "supabase/functions/mine/index.ts": "Deno.serve(() => new Response())",
    "supabase/functions/_messages/mod.ts": "export const messages = [];",
    "supabase/migrations/20270101000000_a.sql": "create table a (id int);",
  };
  const { changes } = plan(files);
  assertEquals(changes.filter(({ path }) => path in files), []);
  assertEquals(changes.some(({ path }) => path.endsWith("example.ts")), false);
});

const stamps: [string, string[], string | null][] = [
  ["no migration", [], STAMP],
  ["a migration of the future", ["20270101000000_a"], "20270101000001"],
  ["the end of a year", ["20271231235959_a"], "20280101000000"],
  ["the present second", [`${STAMP}_a`], "20261126102031"],
  ["a number before every time", ["0002_a"], STAMP],
  ["a day without a time, in the future", ["20270101_a"], "20270102000000"],
  ["digits that are no time", ["20279999999999_a"], "20280000000000"],
  ["more digits than a time has", ["202701010000009_a"], "20270101000001"],
  ["the highest number", ["99999999999999_a"], null],
  ["a short number behind every time", ["9_a"], null],
  ["a name that is no migration", ["zzz"], STAMP],
];
for (const [what, names, expected] of stamps) {
  Deno.test(`the stamp beside ${what} is ${expected ?? "refused"}`, () => {
    const files = names.map((name) => [`supabase/migrations/${name}.sql`, "select 1;"]);
    const planned = plan(Object.fromEntries(files));
    const path = `supabase/migrations/${expected}_symphony_0.1.0.sql`;
    assertEquals(migrationOf(planned), expected === null ? undefined : path);
    assertEquals(refusals(planned), expected ? [] : [`supabase/migrations/${names[0]}.sql`]);
  });
}

Deno.test("two migrations of one stamp are refused", () => {
  const planned = plan({
    "supabase/migrations/20260101000000_a.sql": "select 1;",
    "supabase/migrations/20260101000000_b.sql": "select 1;",
  });
  assertEquals(refusals(planned), ["supabase/migrations/20260101000000_b.sql"]);
});

const clashes: [string, string, boolean][] = [
  ["a table", "\ncreate table messenger_messages (id int);", true],
  [
    "a table that is named in full",
    "\ncreate table if not exists PUBLIC.Messenger_Messages (id int);",
    true,
  ],
  ["a quoted table", '\ncreate table "public"."messenger_messages" (id int);', true],
  ["a view", "\ncreate or replace view messenger_messages as select 1;", true],
  [
    "a function",
    "\ncreate or replace function public.messenger_now() returns int as 'x' language sql;",
    true,
  ],
  [
    "a function without a schema",
    "\ncreate function messenger_now() returns int as 'x' language sql;",
    true,
  ],
  ["the schema", "\ncreate schema if not exists messenger;", true],
  ["a cron job", "\nselect cron.schedule('symphony-tick', '* * * * *', 'x');", true],
  [
    "a cron job by parameter",
    "\nselect cron.schedule(job_name => 'symphony-tick', schedule => 'x', command => 'x');",
    true,
  ],
  ["a table of another schema", "\ncreate table app.messenger_messages (id int);", false],
  ["a longer name", "\ncreate table messenger_messages_old (id int);", false],
  [
    "a comment",
    "\n-- create table messenger_messages (id int);\n/* create schema messenger; */",
    false,
  ],
  [
    "a text about a table",
    "\ncomment on table a is 'create table messenger_messages (id int)';",
    false,
  ],
  [
    "a comment within a comment",
    "\n/* /* one */ create table messenger_messages (id int); */",
    false,
  ],
  [
    "a comment with a quote before a table",
    "-- it's\ncreate table messenger_messages (id int); -- it's",
    true,
  ],
  [
    "an escaped quote before a table",
    "select e'\\'', $a$ ' $a$;\ncreate table messenger_messages (id int);",
    true,
  ],
  ["a temporary table", "\ncreate temp table messenger_messages (id int);", false],
  [
    "a temporary table in a function's body",
    "\ncreate function f() returns void language sql as $$ create table messenger_messages (id int) $$;",
    false,
  ],
  [
    "a table made in a block",
    "\ndo $$ begin create table messenger_messages (id int); end $$;",
    true,
  ],
  [
    "a table made by text in a block",
    "do language plpgsql $b$ begin\nexecute format('create table messenger_messages (id int)'); end $b$;",
    true,
  ],
  [
    "a cron job that makes a table",
    "\nselect cron.schedule('a', '* * * * *', 'create table messenger_messages (id int)');",
    false,
  ],
  ["the schema of a role", "\ncreate schema authorization messenger;", true],
  ["a recursive view", "\ncreate recursive view messenger_messages (id) as select 1;", true],
  ["a foreign table", "\ncreate foreign table messenger_messages (id int) server s;", true],
  ["an aggregate", "\ncreate aggregate messenger_now(int) (sfunc = f, stype = int);", true],
  [
    "a table renamed to one",
    "\nalter table if exists only public.a rename to messenger_messages;",
    true,
  ],
  ["a table moved to public", "\nalter table app.messenger_messages set schema public;", true],
  [
    "a cron job by quoted names",
    `\nselect "cron"."schedule"('symphony-tick', '* * * * *', 'x');`,
    true,
  ],
  [
    "a cron job between dollars",
    "\nselect cron.schedule($$symphony-tick$$, $$* * * * *$$, $$x$$);",
    true,
  ],
  [
    "a cron job by a later parameter",
    "\nselect cron.schedule(schedule => '* * * * *', command => 'x', job_name => 'symphony-tick');",
    true,
  ],
  [
    "a cron job of a database",
    "\nselect cron.schedule_in_database('symphony-tick', '* * * * *', 'x', 'postgres');",
    true,
  ],
  [
    "a cron job of another case",
    "\nselect cron.schedule('Symphony-Tick', '* * * * *', 'x');",
    false,
  ],
  [
    "a cron job that was unscheduled",
    "\nselect cron.schedule('symphony-tick', '* * * * *', 'x');\nselect cron.unschedule('symphony-tick');",
    false,
  ],
  [
    "a table that was renamed",
    '\ncreate table messenger_messages (id int);\nalter table public."messenger_messages" rename to old;',
    false,
  ],
  [
    "a function that was renamed",
    "\ncreate function messenger_now(a int) returns int as 'x' language sql;\nalter function messenger_now(a int) rename to my_now;",
    false,
  ],
  [
    "a table that was moved away",
    "\ncreate table messenger_messages (id int);\nalter table messenger_messages set schema app;",
    false,
  ],
  [
    "a table that was dropped with others",
    "\ncreate table messenger_messages (id int);\ndrop table if exists a, public.messenger_messages cascade;",
    false,
  ],
  ["a column renamed to one", "\nalter table a rename column b to messenger_messages;", false],
  [
    "a table that was dropped again",
    "\ncreate table messenger_messages (id int);\ndrop table messenger_messages;",
    false,
  ],
];
for (const [what, sql, isRefused] of clashes) {
  Deno.test(`SQL with ${what} of our name is ${isRefused ? "refused with its line" : "taken"}`, () => {
    const path = "supabase/migrations/20260101000000_a.sql";
    assertEquals(refusals(plan({ [path]: sql })), isRefused ? [`${path}:2`] : []);
  });
}

Deno.test("a function whose name differs from ours by capitals only is refused", () => {
  const path = "supabase/functions/Dispatch/index.ts";
  assertEquals(refusals(plan({ [path]: "" })), [path]);
  assertEquals(refusals(plan({ [path]: "" }, { prefix: "bus-" })), []);
});

Deno.test("SQL that the Supabase CLI does not apply is not looked at", () => {
  const text = "create table messenger_messages (id int);";
  const paths = ["migrations/archive/1_a.sql", "migrations/notes.sql", "tests/a.sql", "seed.sql"];
  for (const path of paths) assertEquals(refusals(plan({ [`supabase/${path}`]: text })), [], path);
});

Deno.test("a function of the user's with our name is refused, and --prefix names ours differently", () => {
  const files = { "supabase/functions/dispatch/index.ts": "Deno.serve(() => new Response())" };
  assertEquals(refusals(plan(files)), ["supabase/functions/dispatch/index.ts"]);
  const planned = plan(files, { prefix: "bus-" });
  assertEquals(refusals(planned), []);
  const after = carriedOut(project(files), planned);
  assert(after.has("supabase/functions/bus-dispatch/index.ts"));
  assertStringIncludes(after.get("supabase/config.toml") ?? "", "[functions.bus-tick]");
  const sql = after.get("supabase/migrations/20261126102031_symphony_prefix.sql") ?? "";
  assertStringIncludes(sql, "function messenger.function_prefix()");
  assertStringIncludes(sql, "'bus-'");
});

for (const prefix of ["-", "1-", "a b-", "a';-", "é-", "a/-", `${"a".repeat(40)}-`]) {
  Deno.test(`the prefix "${prefix}" is refused`, () => {
    assertEquals(refusals(plan({}, { prefix })), ["--prefix"]);
  });
}

Deno.test("a prefix without its dash gets one", () => {
  assertEquals(plan({}, { prefix: "bus" }).prefix, "bus-");
});

Deno.test("another prefix than the project has is refused", () => {
  const before = project();
  const after = carriedOut(before, planInit(before, { releases: [FIRST], now: NOW, prefix: "a-" }));
  const second = planInit(after, { releases: [FIRST], now: NOW, prefix: "b-" });
  assertEquals(refusals(second), ["--prefix"]);
});

Deno.test("a project with a declarative tree gets our schema into it", () => {
  const trees: [string, Record<string, string>][] = [
    ["supabase/schemas", { "supabase/schemas/a.sql": "create table a (id int);" }],
    ["supabase/database", {
      "supabase/config.toml": '[experimental.pgdelta]\ndeclarative_schema_path = "./database"\n',
      "supabase/database/a.sql": "create table a (id int);",
    }],
  ];
  for (const [folder, files] of trees) {
    const file = plan(files).changes.find(({ path }) => path === `${folder}/symphony.sql`);
    assertStringIncludes(file?.text ?? "", FIRST.sql.trimEnd());
  }
  assertEquals(plan().changes.some(({ path }) => path.endsWith("symphony.sql")), false);
});

Deno.test("a project of an older release is told to upgrade, and gets no second migration", () => {
  const before = project();
  const after = carriedOut(before, planInit(before, { releases: [FIRST], now: NOW }));
  const second = planInit(after, { releases: [FIRST, release("0.2.0")], now: NOW });
  assertEquals(second.changes, []);
  assertEquals(warnings(second), ["supabase/migrations"]);
});
