/** The stand-ins for pg_cron, pg_net and Vault behave in SQL like the real ones. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import { freePort } from "../../local/process.ts";
import type { Stack } from "../../local/stack.ts";
import { createLocalProject } from "../support/local_project.ts";
import { eventually } from "../support/stack.ts";

const project = await createLocalProject();
let stack: Stack;
let sql: postgres.Sql;
let server: Deno.HttpServer<Deno.NetAddr>;
/** Paths that the server was asked for. */
let received: string[] = [];
/** Responses of /slow wait for it. */
let gate = Promise.withResolvers<void>();

Deno.test.beforeAll(async () => {
  stack = await project.start({ cron: true, net: true });
  // One connection, so that all know when it is lost.
  sql = postgres(stack.dbUrl, { max: 1, onnotice: () => {} });
  server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    received.push(pathname + search);
    if (pathname === "/slow") await gate.promise;
    return Response.json({
      method: request.method,
      contentType: request.headers.get("content-type"),
      body: await request.text(),
    }, { status: pathname === "/teapot" ? 418 : 200 });
  });
});
Deno.test.afterAll(async () => {
  await sql.end();
  await stack.stop();
  await server.shutdown();
  await project.remove();
});

/** The stack lives on from test to test. */
function test(name: string, fn: () => Promise<void>): void {
  const run = () => {
    received = [];
    gate = Promise.withResolvers();
    return fn().finally(gate.resolve);
  };
  Deno.test({ name, fn: run, sanitizeOps: false, sanitizeResources: false });
}

function address(path: string): string {
  return `http://127.0.0.1:${server.addr.port}${path}`;
}

async function get(path: string, timeoutMs = 5000): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    select net.http_get(${address(path)}, timeout_milliseconds => ${timeoutMs}) as id`;
  return row?.id ?? "";
}

async function response(id: string): Promise<postgres.Row> {
  const [row] = await eventually(
    () => sql`select * from net._http_response where id = ${id}`,
    (rows) => rows.length === 1,
  );
  return row ?? {};
}

test("pg_net posts JSON, and stores what was answered", async () => {
  const [row] = await sql<{ id: string }[]>`
    select net.http_post(${
    address("/teapot")
  }, '{"a": 1}', '{"q": "é&"}', '{"x-other": "1"}') as id`;
  const { status_code, content_type, content, timed_out, error_msg } = await response(
    row?.id ?? "",
  );
  assertEquals([status_code, timed_out, error_msg], [418, false, null]);
  assertEquals(content_type, "application/json");
  assertEquals(JSON.parse(content), {
    method: "POST",
    contentType: "application/json",
    body: '{"a": 1}',
  });
  assertEquals(received, ["/teapot?q=%C3%A9%26"]);
});

test("pg_net takes JSON bodies only", async () => {
  await assertRejects(
    () => sql`select net.http_post(${address("/")}, '{}', '{}', '{"Content-Type": "text/plain"}')`,
    Error,
    'Content-Type header must be "application/json"',
  );
  await assertRejects(
    () => sql`select net.http_post(${address("/")}, null)`,
    Error,
    "body must not be null",
  );
});

test("pg_net sends what was committed, and nothing that was rolled back", async () => {
  await assertRejects(() =>
    sql.begin(async (transaction) => {
      await transaction`select net.http_get(${address("/rolled-back")})`;
      throw new Error("roll back");
    })
  );
  await response(await get("/committed"));
  assertEquals(received, ["/committed"]);
});

test("pg_net serves a batch of 200 in one transaction, which its slowest request holds back", async () => {
  const first = await get("/fast");
  await response(first);

  await sql.begin(async (transaction) => {
    await transaction`select net.http_get(${address("/slow")}, timeout_milliseconds => 20000)`;
    await transaction`select net.http_get(${address("/fast")}) from generate_series(1, 200)`;
  });
  await eventually(
    () => Promise.resolve(received.filter((path) => path === "/slow").length),
    (count) => count === 1,
  );
  const [unlocked] = await sql`
    select count(*)::int from (select from net.http_request_queue for update skip locked) as free`;
  const [queued] = await sql`select count(*)::int from net.http_request_queue`;
  const [answered] = await sql`select count(*)::int from net._http_response where id > ${first}`;
  assertEquals([unlocked?.count, queued?.count, answered?.count], [1, 201, 0]);

  gate.resolve();
  await eventually(
    () => sql`select from net._http_response where id > ${first}`,
    (rows) => rows.length === 201,
  );
});

test("pg_net gives up a request at its timeout, and says so", async () => {
  const { status_code, timed_out, error_msg } = await response(await get("/slow", 50));
  assertEquals([status_code, timed_out], [null, true]);
  assertStringIncludes(error_msg, "Timeout of 50 ms reached");
});

test("pg_net stores why a server could not be reached", async () => {
  const [row] = await sql<{ id: string }[]>`
    select net.http_get(${`http://127.0.0.1:${freePort()}/`}) as id`;
  const { status_code, timed_out, error_msg } = await response(row?.id ?? "");
  assertEquals([status_code, timed_out, error_msg], [null, false, "Couldn't connect to server"]);
});

test("pg_net forgets responses after six hours", async () => {
  await sql`insert into net._http_response (id, created) values (-1, now() - interval '7 hours')`;
  await response(await get("/"));
  await eventually(
    () => sql`select from net._http_response where id = -1`,
    (rows) => rows.length === 0,
  );
});

test("pg_cron keeps one job for each name, and refuses a malformed schedule", async () => {
  const schedule = async (name: string, when: string) =>
    (await sql`select cron.schedule(${name}, ${when}, 'select 1') as id`)[0]?.id;
  const id = await schedule("nightly", "0 3 * * *");
  assertEquals(await schedule("nightly", "*/5 8-18 1,15 jan-jun mon-fri"), id);
  const jobs =
    await sql`select schedule, command, username, active from cron.job where jobid = ${id}`;
  assertEquals({ ...jobs[0] }, {
    schedule: "*/5 8-18 1,15 jan-jun mon-fri",
    command: "select 1",
    username: "postgres",
    active: true,
  });
  for (
    const wrong of [
      "* * * *",
      "60 * * * *",
      "* * 0 * *",
      "5-1 * * * *",
      "*/0 * * * *",
      "60 seconds",
      "0 seconds",
      "",
    ]
  ) {
    await assertRejects(() => schedule("wrong", wrong), Error, `invalid schedule: ${wrong}`);
  }
  await sql`select cron.alter_job(${id}, active => false)`;
  assertEquals((await sql`select active from cron.job where jobid = ${id}`)[0]?.active, false);
  assertEquals((await sql`select cron.unschedule('nightly') as done`)[0]?.done, true);
  await assertRejects(
    () => sql`select cron.unschedule('nightly')`,
    Error,
    "could not find valid entry for job 'nightly'",
  );
});

test("pg_cron runs a job as who scheduled it, and notes how each run went", async () => {
  await sql`select cron.schedule('good', '1 second', 'select current_user, session_user')`;
  await sql`select cron.schedule('bad', '1 second', 'select 1 / 0')`;
  const runs = await eventually(
    () =>
      sql`
      select distinct on (jobname) jobname, status, return_message, d.username, end_time >= start_time as timed
      from cron.job_run_details d join cron.job using (jobid)
      where status in ('succeeded', 'failed') order by jobname`,
    (rows) => rows.length === 2,
  );
  await sql`select cron.unschedule('good'), cron.unschedule('bad')`;
  assertEquals(runs.map((run) => ({ ...run })), [
    {
      jobname: "bad",
      status: "failed",
      return_message: "ERROR:  division by zero",
      username: "postgres",
      timed: true,
    },
    {
      jobname: "good",
      status: "succeeded",
      return_message: "1 row",
      username: "postgres",
      timed: true,
    },
  ]);
});

test("pg_cron runs one instance of a job at a time", async () => {
  await sql`create table if not exists public.runs (began timestamptz, ended timestamptz)`;
  await sql`
    select cron.schedule('slow', '1 second', $$
      insert into public.runs select clock_timestamp(), clock_timestamp() from pg_sleep(1.5)
    $$)`;
  const runs = await eventually(
    () =>
      sql`
      select start_time, end_time from cron.job_run_details d join cron.job using (jobid)
      where jobname = 'slow' and status = 'succeeded' order by start_time`,
    (rows) => rows.length >= 2,
  );
  await sql`select cron.unschedule('slow')`;
  assert(runs[1]?.start_time >= runs[0]?.end_time);
});

test("after a crash of Postgres, pg_net sends and pg_cron runs again", async () => {
  await get("/before");
  await stack.restartPostgres("immediate");
  const scheduled = await eventually(
    () => sql`select cron.schedule('after', '1 second', 'select 1') as id`.catch(() => []),
    (rows) => rows.length === 1,
  );
  await response(await get("/after"));
  const [run] = await eventually(
    () =>
      sql`select * from cron.job_run_details where jobid = ${
        scheduled[0]?.id
      } and status = 'succeeded'`,
    (rows) => rows.length > 0,
  );
  await sql`select cron.unschedule('after')`;
  assertEquals(run?.return_message, "1 row");
});

test("Vault keeps secrets by name, for postgres and service_role only", async () => {
  const [{ id } = { id: "" }] = await sql<{ id: string }[]>`
    select vault.create_secret('swordfish', 'door', 'of the cellar') as id`;
  await assertRejects(
    () => sql`select vault.create_secret('other', 'door')`,
    Error,
    "duplicate key",
  );
  await sql`select vault.update_secret(${id}, 'open sesame')`;
  const [secret] = await sql`
    select name, description, decrypted_secret from vault.decrypted_secrets where id = ${id}`;
  assertEquals({ ...secret }, {
    name: "door",
    description: "of the cellar",
    decrypted_secret: "open sesame",
  });
  await assertRejects(
    () =>
      sql.begin(async (transaction) => {
        await transaction`set local role authenticated`;
        await transaction`select * from vault.decrypted_secrets`;
      }),
    Error,
    "permission denied",
  );
});
