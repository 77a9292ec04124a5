/** From `supabase init` to a handled message, and out again: with the real Supabase CLI and a plain database. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import { installedVersion } from "../../cli/project/installed.ts";
import { migrate } from "../../local/migrate.ts";
import { startStack } from "../../local/stack.ts";
import { denoPath } from "../support/engines.ts";
import { publishedPackage } from "../support/package.ts";
import { createPlainDatabase, type PlainDatabase } from "../support/plain_database.ts";
import { eventually } from "../support/stack.ts";
import {
  createUserProject,
  RELEASES,
  stampAfter,
  type UserProject,
} from "../support/user_project.ts";

const LAST_STAMP = "20270201000000";
const USERS = {
  "supabase/migrations/20270101000000_notes.sql": "create table public.notes (id int);\n",
  [`supabase/migrations/${LAST_STAMP}_more.sql`]: "alter table public.notes add text text;\n",
  "supabase/functions/dispatch/index.ts":
    "export default { fetch: () => new Response('the user\\'s own') };\n",
};
const ENV = { SYMPHONY_URL: "http://127.0.0.1:9", SYMPHONY_SECRET_KEY: "sb_secret_test" };

/** Messages of the user's, in the place of those that `init` writes. */
const MESSAGES = {
  "supabase/functions/_messages/mod.ts": `
    import { ExampleMessage } from "./example.ts";
    import { Flaky } from "./flaky.ts";
    export const messages = [ExampleMessage, Flaky];
  `,
  "supabase/functions/_messages/flaky.ts": `
    import { defineMessage, z } from "symphony-messenger";
    export const Flaky = defineMessage({
      type: "Flaky",
      schema: z.object({}),
      handler(_, { attempt, log }) {
        if (attempt === 1) throw new Error("not yet");
        log.info("handled", { attempt });
      },
    });
  `,
};

let project: UserProject;
let database: PlainDatabase;

Deno.test.beforeEach(async () => {
  [project, database] = await Promise.all([createUserProject(USERS), createPlainDatabase()]);
});

Deno.test.afterEach(async () => {
  await project.remove();
  await database.drop();
});

Deno.test("from `supabase init` to messages that are handled, retried and scheduled, with the registry's package", async () => {
  const before = await project.files();
  const { code, text } = await project.npx("init", "--prefix", "bus-");
  assertEquals(code, 0, text);
  assertStringIncludes(text, "npx supabase@3 db push --remote --yes");
  const after = await project.files();
  const again = await project.symphony(["init"]);
  assertEquals([again.code, again.text.trim()], [0, "Nothing to do."]);
  assertEquals(await project.files(), after);

  for (const [path, text] of Object.entries(MESSAGES)) await project.write(path, text);
  const lines: string[] = [];
  const dataDir = await Deno.makeTempDir({ prefix: "symphony-stack-" });
  const { registry, env } = publishedPackage();
  await using stack = await startStack({
    projectDir: project.dir,
    dataDir,
    postgres: { url: database.url },
    migrate: false,
    modules: "own",
    deno: await denoPath("2.1.4"),
    env: { NPM_CONFIG_REGISTRY: registry, DENO_DIR: env.DENO_DIR ?? "" },
    onFunctionLine: (name, line) => lines.push(`${name}: ${line}`),
  });
  const pushed = await project.push(database.ownerUrl, {
    SYMPHONY_URL: stack.url,
    SYMPHONY_SECRET_KEY: stack.secretKey,
  });
  assertEquals(pushed.code, 0, pushed.text);
  await assertInstalled();

  // Each function loads its packages from the registry when it is first called.
  const logged = (text: string) =>
    eventually(
      () => Promise.resolve(lines),
      (lines) => lines.some((line) => line.includes(text)),
      60_000,
    );
  const dispatch = async (body: unknown) => {
    const response = await fetch(`${stack.url}/functions/v1/bus-dispatch`, {
      method: "POST",
      headers: { apikey: stack.secretKey, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return [response.status, await response.json()];
  };
  assertEquals(await dispatch({ type: "ExampleMessage", payload: {} }), [202, { ids: ["1"] }]);
  await logged('"hello"');
  assertEquals(await dispatch({ type: "Flaky", payload: {} }), [202, { ids: ["2"] }]);
  await logged('"attempt":2');
  const schedule = { type: "interval", config: { interval: "1s" }, maxRuns: 1 };
  const payload = { text: "as planned" };
  assertEquals(await dispatch({ type: "ExampleMessage", payload, schedule }), [201, {
    scheduleId: "1",
  }]);
  await logged("as planned");

  const doctor = await eventually(
    () =>
      project.symphony(["doctor", "--prefix", "bus-"], {
        env: { SUPABASE_URL: stack.url, SUPABASE_SECRET_KEY: stack.secretKey },
      }),
    ({ code }) => code === 0,
  );
  assertStringIncludes(doctor.text, "function bus-tick");
  const own = await fetch(`${stack.url}/functions/v1/dispatch`, {
    headers: { authorization: `Bearer ${await stack.mintUserJwt()}` },
  });
  assertEquals([own.status, await own.text()], [200, "the user's own"]);
  // Deno 2.1.4 writes such a line at each call of what it has not.
  assertEquals(lines.filter((line) => line.includes("Not implemented")), []);

  const config = "supabase/config.toml";
  const last = await project.files();
  for (const [path, text] of before) if (path !== config) assertEquals(last.get(path), text);
  assert(last.get(config)?.startsWith(before.get(config) ?? "?"));
  await Deno.remove(dataDir, { recursive: true });
});

/** Checks in the database the things that `init` and a push by the Supabase CLI make. */
async function assertInstalled(): Promise<void> {
  const { version } = publishedPackage();
  const [dumped] = await database.sql<{ text: string }[]>`
    select pg_get_functiondef('public.messenger_version'::regproc) as text`;
  const pulled = new Map([["supabase/migrations/1_pulled.sql", dumped?.text ?? ""]]);
  assertEquals(installedVersion(pulled), version);
  const [found] = await database.sql`
    select messenger_version() as version, messenger.function_prefix() as prefix,
      (select command from cron.job where jobname = 'symphony-tick') as command,
      (select array_agg(name order by name) from vault.secrets) as secrets,
      (select max(version) from supabase_migrations.schema_migrations) as last`;
  assertEquals({ ...found }, {
    version,
    prefix: "bus-",
    command: "call public.messenger_in_turn('{messenger_tick,messenger_sample_backlog}')",
    secrets: ["symphony_secret_key", "symphony_url"],
    last: stampAfter(LAST_STAMP, RELEASES.length + 1),
  });
}

Deno.test("uninstall takes all of it out again, but not while messages wait or the user depends on it", async () => {
  const before = await project.files();
  await project.symphony(["init", "--prefix", "bus-"]);
  await apply();
  await database.sql`select messenger_dispatch('ExampleMessage')`;
  await database
    .sql`select messenger_set_alert_channel('ops', '{"kind":"slack","url":"https://a.example"}')`;
  await database
    .sql`select messenger_create_webhook_endpoint('acme', '{"url":"https://a.example"}')`;
  await database.sql`select vault.create_secret('mine', 'webhook_mine')`;
  await database.sql`create view public.mine as select id from messenger_failed_messages`;

  const { code, text } = await project.symphony(["uninstall"]);
  assertEquals(code, 0, text);
  const after = await project.files();
  for (const [path, text] of before) assertEquals(after.get(path), text, path);
  assertEquals([...after.keys()].filter((path) => !before.has(path)).sort(), [
    ...[...RELEASES, "prefix", "uninstall"].map((what, at) =>
      `supabase/migrations/${stampAfter(LAST_STAMP, at + 1)}_symphony_${what}.sql`
    ),
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
  assertEquals([...rest], [{ what: "secret webhook_mine" }]);

  const second = await project.symphony(["init"]);
  assertStringIncludes(second.text, "the function dispatch is yours");
  assertEquals((await project.symphony(["init", "--prefix", "bus-"])).code, 0);
  await apply();
  assertEquals((await database.sql`select messenger_version()`).length, 1);
});

Deno.test("a lock that another session holds lets the migration fail soon, and nothing is changed", async () => {
  await project.symphony(["init", "--prefix", "bus-"]);
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
