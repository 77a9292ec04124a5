/** The doctor: each fault has its check and the command that mends it. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { migrationsIn } from "../../local/release_source.ts";
import { messenger, say } from "../support/cli.ts";
import { eventually, testsOnStack, type TestStack } from "../support/stack.ts";

interface Row {
  name: string;
  ok: boolean;
  found: unknown;
  advice: string | null;
  command: string | null;
}

async function faults(stack: TestStack, options = ""): Promise<Row[]> {
  const { code, out } = await messenger(stack)(`doctor --json ${options}`);
  const ill = JSON.parse(out).checks.filter(({ ok }: Row) => !ok);
  assertEquals(code, ill.length === 0 ? 0 : 1);
  return ill;
}

const names = (rows: readonly Row[]) => rows.map(({ name }) => name);

testsOnStack({ net: true }, (test) => {
  test("a project that is whole has no fault, and the doctor ends with 0", async (stack) => {
    await stack.tick();
    await eventually(() => faults(stack), (rows) => rows.length === 0);
    const { code, out } = await messenger(stack)("doctor");
    assertEquals(code, 0, out);
    assertMatch(out, /^ok +SUPABASE_URL/m);
    assertMatch(out, /^ok +function tick +deployed, 0\.\d+\.\d+/m);
    assertMatch(out, /^ok +project: database +migrations (\S+), database \1 /m);
    assertMatch(out, new RegExp(`^ok +project: history +${migrationsIn().length} applied `, "m"));
    assertMatch(out, /^ok +schema +0\.\d+\.\d+ /m);
  });

  test("a foreign key of the project's own that keeps messages is told, with the statement that mends it", async (stack) => {
    await stack.sql.unsafe(`
      create table public.orders (
        "messageId" bigint constraint "Orders_messageId_fkey" references public.messenger_messages,
        failed_id bigint references public.messenger_failed_messages on delete set null
      )
    `);
    try {
      const [ill] = (await faults(stack)).filter(({ name }) => name === "foreign keys");
      assertEquals(
        ill?.found,
        '"Orders_messageId_fkey" of public.orders on public.messenger_messages',
      );
      await stack.sql.unsafe(/alter table .*;/.exec(ill?.advice ?? "")?.[0] ?? "");
      assertEquals((await faults(stack)).filter(({ name }) => name === "foreign keys"), []);
    } finally {
      await stack.sql.unsafe("drop table public.orders");
    }
  });

  test("what is missing is told with the command that mends it, and --fix makes it", async (stack) => {
    await stack.sql`delete from cron.job where jobname like 'symphony-%'`;
    await stack.sql`delete from vault.secrets where true`;
    await stack.sql`delete from public.messenger_queues where true`;
    await stack.sql`truncate net._http_response, messenger.tick_requests`;
    const ill = (await faults(stack)).filter(({ name }) => name !== "last tick");
    assertEquals(names(ill).sort(), ["cron_job", "cron_jobs", "default queue", "vault_secrets"]);
    assertEquals(
      new Set(ill.map(({ command }) => command)),
      new Set([
        "npx symphony-messenger doctor --fix",
      ]),
    );
    const told = await messenger(stack)("doctor");
    assertMatch(told.out, /Run, in this order:\n {2}npx symphony-messenger doctor --fix$/);

    const fixed = await messenger(stack)("doctor --fix");
    assertEquals(fixed.code, 0, fixed.out);
    assertMatch(fixed.out, /^ok +setup +queue default, symphony-\w+ created/m);
    assertMatch(fixed.out, /^ok +first tick +HTTP 202/m);
    assertEquals(await faults(stack), []);
  });

  test("a rotated key in Vault is told by its refusal, and --fix writes the present one", async (stack) => {
    await stack
      .sql`update vault.secrets set secret = 'sb_secret_old' where name = 'symphony_secret_key'`;
    await stack.sql`select public.messenger_tick()`;
    await eventually(
      () => faults(stack),
      (rows) => rows.some(({ name, found }) => name === "asked ticks" && /401/.test(String(found))),
    );
    assertEquals((await messenger(stack)("doctor --fix")).code, 0);
  });

  test("a schema that is too old is mended by a push", async (stack) => {
    const [{ body } = { body: "" }] = await stack.sql<{ body: string }[]>`
      select pg_get_functiondef('public.messenger_version()'::regprocedure) as body`;
    await stack.sql.unsafe(body.replace(/'\d[^']*'::text/, "'0.0.1'::text"));
    const ill = await faults(stack);
    await stack.sql.unsafe(body);
    const history = ill.find(({ name }) => name === "project: database");
    assertMatch(String(history?.found), /^migrations \S+, database 0\.0\.1$/);
    const schema = ill.find(({ name }) => name === "schema");
    assertEquals([schema?.found, schema?.command], [
      "0.0.1",
      "npx supabase db push --remote --yes",
    ]);
  });

  test("a migration that was applied and has no file is told by its stamp", async (stack) => {
    const history = async () =>
      (await faults(stack)).find(({ name }) => name === "project: history");
    await stack
      .sql`insert into supabase_migrations.schema_migrations (version) values ('20200101000000')`;
    assertMatch(String((await history())?.found), /not among the files: 20200101000000$/);
    await stack
      .sql`delete from supabase_migrations.schema_migrations where version = '20200101000000'`;
    assertEquals(await history(), undefined);
  });

  test("a cron job that never ran is told once it has been there for three minutes, and --fix begins again", async (stack) => {
    await stack.sql`insert into messenger.jobs_set_up (at) values (now() - interval '4 minutes')
      on conflict (singleton) do update set at = excluded.at`;
    const told = (await faults(stack)).find(({ name }) => name === "cron_run");
    assertEquals([told?.found, told?.command], ["never", "npx symphony-messenger doctor --fix"]);
    assertMatch(told?.advice ?? "", /once in 4 minutes/);
    const fixed = await messenger(stack)("doctor --fix");
    assertEquals(fixed.code, 0, JSON.stringify(fixed));
  });

  test("an object of the bus that was dropped or changed later is told", async (stack) => {
    await stack.sql`alter table public.messenger_messages disable trigger messenger_messages_wake`;
    const [{ body } = { body: "" }] = await stack.sql<{ body: string }[]>`
      select pg_get_functiondef('messenger.is_job(text, text)'::regprocedure) as body`;
    await stack.sql.unsafe(body.replace("p_command ~*", "p_command ~"));
    const told = (await faults(stack)).find(({ name }) => name === "objects");
    await stack.sql`alter table public.messenger_messages enable trigger messenger_messages_wake`;
    await stack.sql.unsafe(body);
    assertStringIncludes(String(told?.found), "messenger_messages_wake is not there");
    assertStringIncludes(String(told?.found), "messenger.is_job was changed");
    assertEquals((await faults(stack)).filter(({ name }) => name === "objects"), []);
  });

  test("URL and key come from flags too, and a wrong one is told", async (stack) => {
    const given = ["doctor", "--url", stack.url, "--secret-key"];
    assertStringIncludes((await say([...given, stack.secretKey])).out, "function dispatch");
    const refused = await say([...given, "sb_secret_wrong", "--json"]);
    assertEquals(refused.code, 1);
    assertMatch(refused.out, /The project refuses the key/);
    assertMatch((await say([...given, "eyJhbGciOi"])).out, /refuse legacy service_role keys/);
    const lost = await say([
      "doctor",
      "--url",
      "http://127.0.0.1:1",
      "--secret-key",
      "sb_secret_x",
    ]);
    assertEquals(lost.code, 1);
    assertMatch(lost.out, /^FAILING +connection/m);
    assertMatch(lost.out, /^FAILING +function tick/m);
    assertEquals((await say("doctor")).code, 1, "also without any configuration");
    assertEquals(
      (await say(["doctor", "--fix", "--url", "http://127.0.0.1:1", "--secret-key", "k"])).code,
      1,
    );
  });

  test("a function that is not deployed, or behind the gateway's JWT check, is told", async (stack) => {
    await using server = Deno.serve({ port: 0, onListen: () => {} }, (request) => {
      const { pathname, search } = new URL(request.url);
      if (pathname.endsWith("/tick")) return Response.json({ code: "NOT_FOUND" }, { status: 404 });
      if (pathname.endsWith("/dispatch")) return Response.json({ code: 401 }, { status: 401 });
      return fetch(`${stack.url}${pathname}${search}`, { headers: request.headers });
    });
    const { out } = await say([
      ...["doctor", "--json", "--url", `http://127.0.0.1:${server.addr.port}`],
      ...["--secret-key", stack.secretKey],
    ]);
    const rows: Row[] = JSON.parse(out).checks;
    const tick = rows.find(({ name }) => name === "function tick");
    assertEquals(tick?.command, "npx supabase functions deploy tick --use-api");
    const dispatch = rows.find(({ name }) => name === "function dispatch");
    assert(dispatch?.advice?.includes("verify_jwt = false under [functions.dispatch]"));
  });

  test("a function of another version than the others is told with its version", async (stack) => {
    await using server = Deno.serve({ port: 0, onListen: () => {} }, async (request) => {
      const { pathname, search } = new URL(request.url);
      const answer = await fetch(`${stack.url}${pathname}${search}`, { headers: request.headers });
      const headers = new Headers(answer.headers);
      if (pathname.endsWith("/tick")) headers.set("symphony-version", "0.0.9");
      if (pathname.endsWith("/dispatch")) headers.delete("symphony-version");
      return new Response(answer.body, { status: answer.status, headers });
    });
    const { out } = await say([
      ...["doctor", "--json", "--url", `http://127.0.0.1:${server.addr.port}`],
      ...["--secret-key", stack.secretKey],
    ]);
    const told: Row[] = JSON.parse(out).checks.filter(({ name }: Row) => /^function /.test(name));
    assertEquals(told.map(({ name, ok }) => [name, ok]), [
      ["function dispatch", false],
      ["function tick", false],
      ["function messenger", true],
    ]);
    assertEquals(told.map(({ found }) => found).slice(0, 2), [
      "deployed, without a version",
      "deployed, 0.0.9",
    ]);
    assertEquals(told[1]?.command, "npx supabase functions deploy tick --use-api");
  });
});
