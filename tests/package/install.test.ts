/** From `supabase init` to a handled message, and out again: with the real Supabase CLI and a plain database. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import { installedVersion } from "../../cli/project/installed.ts";
import { migrate } from "../../local/migrate.ts";
import { startStack } from "../../local/stack.ts";
import { createPlainDatabase, type PlainDatabase } from "../support/plain_database.ts";
import { eventually } from "../support/stack.ts";
import { createUserProject, type UserProject } from "../support/user_project.ts";

const USERS = {
  "supabase/migrations/20270101000000_notes.sql": "create table public.notes (id int);\n",
  "supabase/migrations/20270201000000_more.sql": "alter table public.notes add text text;\n",
  "supabase/functions/dispatch/index.ts":
    "export default { fetch: () => new Response('the user\\'s own') };\n",
};
const ENV = { SYMPHONY_URL: "http://127.0.0.1:9", SYMPHONY_SECRET_KEY: "sb_secret_test" };
const LIBRARY = new URL("../../supabase/functions/_shared/symphony/", import.meta.url);

let project: UserProject;
let database: PlainDatabase;

Deno.test.beforeEach(async () => {
  [project, database] = await Promise.all([createUserProject(USERS), createPlainDatabase()]);
});

Deno.test.afterEach(async () => {
  await project.remove();
  await database.drop();
});

Deno.test("init leaves the user's files as they were, and the Supabase CLI applies what it adds", async () => {
  const before = await project.files();
  const { code, text } = await project.symphony("init", "--prefix", "bus-");
  assertEquals(code, 0, text);
  assertStringIncludes(text, "npx supabase@3 db push --remote --yes");
  const after = await project.files();
  const config = "supabase/config.toml";
  for (const [path, text] of before) if (path !== config) assertEquals(after.get(path), text);
  assert(after.get(config)?.startsWith(before.get(config) ?? "?"));

  const again = await project.symphony("init");
  assertEquals([again.code, again.text.trim()], [0, "Nothing to do."]);
  assertEquals(await project.files(), after);

  const pushed = await project.push(database.ownerUrl, ENV);
  assertEquals(pushed.code, 0, pushed.text);
  const [dumped] = await database.sql<{ text: string }[]>`
    select pg_get_functiondef('public.messenger_version'::regproc) as text`;
  const pulled = new Map([["supabase/migrations/1_pulled.sql", dumped?.text ?? ""]]);
  assertEquals(installedVersion(pulled), "0.1.0");
  const [found] = await database.sql`
    select messenger_version() as version, messenger.function_prefix() as prefix,
      (select command from cron.job where jobname = 'symphony-tick') as command,
      (select array_agg(name order by name) from vault.secrets) as secrets,
      (select max(version) from supabase_migrations.schema_migrations) as last`;
  assertEquals({ ...found }, {
    version: "0.1.0",
    prefix: "bus-",
    command: "select public.messenger_tick()",
    secrets: ["symphony_secret_key", "symphony_url"],
    last: "20270201000002",
  });
});

Deno.test("a message is dispatched and handled beside a function of the user's with the same name", async () => {
  await project.symphony("init", "--prefix", "bus-");
  await apply();
  const lines: string[] = [];
  await using stack = await startStack({
    projectDir: project.dir,
    dataDir: `${project.dir}/.local`,
    postgres: { url: database.url },
    migrate: false,
    cron: false,
    importMap: await importMapOfCheckout(project.dir),
    onFunctionLine: (name, line) => lines.push(`${name}: ${line}`),
  });
  for (
    const [name, value] of [["symphony_url", stack.url], ["symphony_secret_key", stack.secretKey]]
  ) {
    await database.sql`
      select vault.update_secret(id, ${value ?? ""}) from vault.secrets where name = ${name ?? ""}`;
  }
  const post = (name: string) =>
    fetch(`${stack.url}/functions/v1/${name}`, {
      method: "POST",
      headers: { apikey: stack.secretKey, "content-type": "application/json" },
      body: '{"type":"ExampleMessage","payload":{}}',
    });
  const response = await post("bus-dispatch");
  assertEquals([response.status, await response.json()], [202, { ids: ["1"] }]);
  const handled = await eventually(
    () =>
      database.sql<{ left: number; dead: number }[]>`
        select (select count(*)::int from messenger_messages) as left,
          (select count(*)::int from messenger_failed_messages) as dead`,
    ([counts]) => counts?.left === 0,
  );
  assertEquals(handled[0]?.dead, 0);
  assert(lines.some((line) => line.includes('"hello"')), lines.join("\n"));
  const own = await fetch(`${stack.url}/functions/v1/dispatch`, {
    headers: { authorization: `Bearer ${await stack.mintUserJwt()}` },
  });
  assertEquals([own.status, await own.text()], [200, "the user's own"]);
});

Deno.test("uninstall takes all of it out again, but not while messages wait or the user depends on it", async () => {
  const before = await project.files();
  await project.symphony("init", "--prefix", "bus-");
  await apply();
  await database.sql`select messenger_dispatch('ExampleMessage')`;
  await database.sql`create view public.mine as select id from messenger_failed_messages`;

  const { code, text } = await project.symphony("uninstall");
  assertEquals(code, 0, text);
  const after = await project.files();
  for (const [path, text] of before) assertEquals(after.get(path), text, path);
  assertEquals([...after.keys()].filter((path) => !before.has(path)).sort(), [
    "supabase/migrations/20270201000001_symphony_0.1.0.sql",
    "supabase/migrations/20270201000002_symphony_prefix.sql",
    "supabase/migrations/20270201000003_symphony_uninstall.sql",
  ]);

  await assertRejects(apply, postgres.PostgresError, "they would be lost");
  await database.sql`delete from messenger_messages where true`;
  await assertRejects(apply, postgres.PostgresError, "view mine depends on Symphony Messenger");
  assertEquals((await database.sql`select messenger_version()`).length, 1);

  await database.sql`drop view public.mine`;
  await apply();
  const rest = await database.sql`
    select 'relation ' || relname as what from pg_class where relname like 'messenger%'
    union all select 'function ' || proname from pg_proc where proname like 'messenger%'
    union all select 'type ' || typname from pg_type where typname like 'messenger%'
    union all select 'schema ' || nspname from pg_namespace where nspname = 'messenger'
    union all select 'job ' || jobname from cron.job
    union all select 'secret ' || name from vault.secrets`;
  assertEquals([...rest], []);

  const second = await project.symphony("init");
  assertStringIncludes(second.text, "the function dispatch is yours");
  assertEquals((await project.symphony("init", "--prefix", "bus-")).code, 0);
  await apply();
  assertEquals((await database.sql`select messenger_version()`).length, 1);
});

Deno.test("a lock that another session holds lets the migration fail soon, and nothing is changed", async () => {
  await project.symphony("init", "--prefix", "bus-");
  const held = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holder = database.sql.begin(async (sql) => {
    await sql`lock table cron.job in exclusive mode`;
    held.resolve();
    await release.promise;
  });
  await held.promise;
  const error = await apply().then(() => null, (error) => error);
  release.resolve();
  await holder;
  assertEquals(error?.code, "55P03");
  const [found] = await database.sql`select to_regnamespace('messenger') is null as none`;
  assertEquals(found?.none, true);
  await apply();
});

/** Applies the project's migrations as the CLI does, each in one transaction, in less time. */
function apply(): Promise<void> {
  return migrate({ projectDir: project.dir, url: database.ownerUrl, env: ENV, by: "sql" });
}

/** The checkout's code under the package's names, in the place of the package from a registry. */
async function importMapOfCheckout(dir: string): Promise<string> {
  const root = new URL("../../import_map.json", import.meta.url);
  const { imports } = JSON.parse(await Deno.readTextFile(root));
  const path = `${dir}/checkout_import_map.json`;
  const ours = {
    "symphony-messenger": new URL("index.ts", LIBRARY).href,
    "symphony-messenger/edge": new URL("edge.ts", LIBRARY).href,
  };
  await Deno.writeTextFile(path, JSON.stringify({ imports: { ...imports, ...ours } }));
  return path;
}
