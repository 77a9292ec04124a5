/** The local stack as a whole: its URL, keys, data and end. */

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { createClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { type Stack, StackError, startStack } from "../../local/stack.ts";
import { createLocalProject, descendants, nameOf } from "../support/local_project.ts";
import { eventually } from "../support/stack.ts";

const project = await createLocalProject();
let stack: Stack;
Deno.test.beforeAll(async () =>
  void (stack = await project.start({ env: { OF_THE_TEST: "one" } }))
);
Deno.test.afterAll(async () => {
  await stack.stop();
  await project.remove();
});

/** The stack lives on from test to test. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

async function rest(path: string, headers: Record<string, string>): Promise<[number, unknown]> {
  const response = await fetch(`${stack.url}/rest/v1/${path}`, { headers });
  return [response.status, await response.json()];
}

async function query(sqlText: string, url = stack.dbUrl): Promise<postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await sql.unsafe(sqlText);
  } finally {
    await sql.end();
  }
}

test("a secret key acts as service_role, a publishable key as anon, a user as authenticated", async () => {
  const { secretKey, publishableKey } = stack;
  const authorization = `Bearer ${await stack.mintUserJwt()}`;
  assertEquals(await rest("rpc/whoami", { apikey: secretKey }), [200, "service_role"]);
  assertEquals(await rest("rpc/whoami", { apikey: publishableKey }), [200, "anon"]);
  assertEquals(
    await rest("rpc/whoami", { apikey: publishableKey, authorization }),
    [200, "authenticated"],
  );
});

test("no key, an unknown key, an expired JWT and a browser's secret key are answered 401", async () => {
  const { secretKey, publishableKey } = stack;
  const expired = `Bearer ${await stack.mintUserJwt({ expiresInS: -60 })}`;
  for (
    const headers of [
      {},
      { apikey: "sb_secret_of_another_project" },
      { apikey: publishableKey, authorization: expired },
      { apikey: secretKey, "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" },
    ]
  ) {
    assertEquals((await rest("rpc/whoami", headers))[0], 401);
  }
});

test("no API role may use a new table until a migration grants it", async () => {
  const [status, body] = await rest("granted_to_nobody", { apikey: stack.secretKey });
  assertEquals([status, (body as { code: string }).code], [403, "42501"]);
});

test("a change of the schema reaches the Data API by itself", async () => {
  await query("create or replace function public.added() returns int language sql return 7");
  const answer = await eventually(
    () => rest("rpc/added", { apikey: stack.secretKey }),
    ([status]) => status === 200,
  );
  assertEquals(answer, [200, 7]);
});

test("the role postgres owns the project's tables and is no superuser", async () => {
  const [row] = await query(`
    select r.rolname, r.rolsuper from pg_class c join pg_roles r on r.oid = c.relowner
    where c.oid = 'public.notes'::regclass`);
  assertEquals([row?.rolname, row?.rolsuper], ["postgres", false]);
});

test("supabase-js signs users up and in, and row level security knows them apart", async () => {
  const auth = { persistSession: false, autoRefreshToken: false };
  const client = () => createClient(stack.url, stack.publishableKey, { auth });
  const [ada, bob] = [client(), client()];
  const credentials = { email: "ada@example.org", password: "engine" };
  const { data: { user } } = await ada.auth.signUp(credentials);
  assertEquals([user?.email, user?.is_anonymous], ["ada@example.org", false]);
  assertEquals((await ada.from("notes").insert({ text: "hers" })).error, null);

  assertEquals((await bob.auth.signInAnonymously()).data.user?.is_anonymous, true);
  assertEquals((await bob.from("notes").select("text")).data, []);

  const { data: { session } } = await bob.auth.signInWithPassword(credentials);
  assertEquals(session?.user.id, user?.id);
  assertEquals((await bob.from("notes").select("text")).data, [{ text: "hers" }]);
  assertEquals((await bob.auth.refreshSession()).data.user?.id, user?.id);

  assertEquals(
    (await bob.auth.signInWithPassword({ ...credentials, password: "wrong!" })).error?.code,
    "invalid_credentials",
  );
  assertEquals((await bob.auth.signUp(credentials)).error?.code, "user_already_exists");
  assertEquals(
    (await bob.auth.signUp({ ...credentials, password: "short" })).error?.code,
    "weak_password",
  );
});

test("a port that is taken is named in the error, and nothing is left running", async () => {
  const other = await createLocalProject();
  const before = descendants();
  const error = await assertRejects(() => other.start({ port: stack.port }), StackError);
  assertStringIncludes(error.message, `port ${stack.port} is taken`);
  assertStringIncludes(error.message, "--port");
  assertEquals(descendants().filter((pid) => !before.includes(pid)), []);
  await other.remove();
});

test("a data folder that is in use is named in the error", async () => {
  const error = await assertRejects(() => project.start(), StackError);
  assertStringIncludes(error.message, `${project.dir}/.local`);
  assertStringIncludes(error.message, `process ${Deno.pid}`);
});

test("a migration that fails shows Postgres's words, and leaves nothing running", async () => {
  const other = await createLocalProject();
  await other.write("supabase/migrations/20260102000000_bad.sql", "select no_such_function();");
  const before = descendants();
  const error = await assertRejects(() => other.start({ migrate: true }), StackError);
  assertStringIncludes(error.message, "no_such_function() does not exist");
  assertEquals(descendants().filter((pid) => !before.includes(pid)), []);
  await other.remove();
});

test("a malformed database URL is refused", async () => {
  const options = { postgres: { url: "localhost:5432" }, dataDir: `${project.dir}/.other` };
  const error = await assertRejects(() => startStack(options), StackError);
  assertStringIncludes(error.message, "postgres.url");
});

test("after a crash of Postgres the stack serves again", async () => {
  await stack.restartPostgres("immediate");
  const answer = await eventually(
    () => rest("rpc/whoami", { apikey: stack.secretKey }),
    ([status]) => status === 200,
  );
  assertEquals(answer, [200, "service_role"]);
});

test("PostgREST starts again when it ends by itself", async () => {
  const processes = descendants().filter((pid) => nameOf(pid) === "postgrest");
  assertEquals(processes.length, 1);
  for (const pid of processes) Deno.kill(pid, "SIGKILL");
  const answer = await eventually(
    () => rest("rpc/whoami", { apikey: stack.secretKey }),
    ([status]) => status === 200,
  );
  assertEquals(answer, [200, "service_role"]);
});

test("keys, data and vault outlive a restart, and reset empties the database", async () => {
  const { publishableKey, secretKey, port, dbUrl } = stack;
  const before = descendants();
  assert(before.length > 0);
  await query("insert into public.notes (owner, text) values (gen_random_uuid(), 'kept')");
  await stack.stop();
  assertEquals(descendants().filter((pid) => before.includes(pid)), []);
  await assertRejects(() => fetch(`http://127.0.0.1:${port}`));

  stack = await project.start({ env: { OF_THE_TEST: "two" } });
  assertEquals([stack.publishableKey, stack.secretKey], [publishableKey, secretKey]);
  assertEquals(stack.dbUrl, dbUrl);
  assertEquals((await query("select from public.notes where text = 'kept'")).length, 1);
  const secrets = await query(
    "select name, decrypted_secret from vault.decrypted_secrets order by 1",
  );
  assertEquals(secrets.map((row) => [row.name, row.decrypted_secret]), [
    ["of_the_test", "two"],
    ["symphony_url", stack.url],
  ]);

  await stack.stop();
  stack = await project.start({ reset: true });
  assertEquals(stack.secretKey, secretKey);
  assertEquals((await query("select from public.notes")).length, 0);
  assertEquals(stack.dbUrl, dbUrl);
});

test("a port of Postgres that is taken by now is left for another", async () => {
  const { port: before } = new URL(stack.dbUrl);
  await stack.stop();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: Number(before) });
  stack = await project.start();
  assertNotEquals(new URL(stack.dbUrl).port, String(taken.addr.port));
  assertEquals((await query("select from public.notes")).length, 0);
});
