/** The scripts of docs/migrating, against a real pg-boss and the tables of pgmq as its documentation has them. */

import { assertEquals, assertRejects } from "@std/assert";
import { PgBoss } from "pg-boss";
import postgres from "postgres";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

type Report = Record<string, { moved: number; left: number }>;
type Mover = (call: string) => Promise<Report>;

/** Loads a script into one session, in which its procedures live. */
async function withScript(
  name: "pgmq" | "pg-boss",
  test: (move: Mover, database: TestDatabase) => Promise<void>,
  prepare: (database: TestDatabase) => Promise<void>,
): Promise<void> {
  const database = await createTestDatabase();
  const session = postgres(database.url, { max: 1, onnotice: () => {} });
  try {
    await prepare(database);
    await session.unsafe(await Deno.readTextFile(`docs/migrating/${name}.sql`));
    await test(async (args) => {
      const [row] = await session.unsafe(
        `call pg_temp.move_${name.replace("-", "_")}(${args})`,
      );
      return row?.report;
    }, database);
  } finally {
    await session.end();
    await database.drop();
  }
}

async function createPgmq({ sql }: TestDatabase): Promise<void> {
  await sql.unsafe(`
    create schema pgmq;
    create table pgmq.meta (queue_name varchar unique not null, is_partitioned boolean not null,
      is_unlogged boolean not null, created_at timestamptz not null default now());
    create table pgmq.q_mails (msg_id bigint primary key generated always as identity,
      read_ct int not null default 0, enqueued_at timestamptz not null default now(),
      vt timestamptz not null, message jsonb, headers jsonb);
    insert into pgmq.meta values ('mails', false, false);
    insert into pgmq.q_mails (vt, read_ct, message, headers) values
      (now(), 0, '{"n": 1}', '{"trace": "t1"}'), ('2100-01-01', 0, '{"n": 2}', null),
      (now() + interval '1 hour', 1, '{"n": 3}', null), (now(), 4, '{"n": 4}', null);`);
}

const MAILS = `'{"mails": {"type": "EmailMessage", "queue": "mail"}}'`;

Deno.test("pgmq's waiting messages move once, with delay and headers, and a held one stays", () =>
  withScript("pgmq", async (move, { sql }) => {
    assertEquals(await move(`${MAILS}, dry_run => true`), { mails: { moved: 3, left: 4 } });
    assertEquals((await sql`select from public.messenger_messages`).length, 0);
    assertEquals(await move(`${MAILS}, batch_size => 2`), { mails: { moved: 3, left: 1 } });
    assertEquals(await move(MAILS), { mails: { moved: 0, left: 1 } });
    const rows = await sql`
      select payload ->> 'n' as n, type, queue, available_at = '2100-01-01' as is_delayed,
        stamps #>> '{pgmq,headers,trace}' as trace
      from public.messenger_messages order by id`;
    const common = { type: "EmailMessage", queue: "mail" };
    assertEquals([...rows], [
      { n: "1", ...common, is_delayed: false, trace: "t1" },
      { n: "2", ...common, is_delayed: true, trace: null },
      { n: "4", ...common, is_delayed: false, trace: null },
    ]);
  }, createPgmq));

Deno.test("the pgmq script names what it refuses, and moves nothing of that batch", () =>
  withScript("pgmq", async (move, { sql }) => {
    const refused: [string, string][] = [
      ["'[]'", "mapping: has to be an object"],
      ["'{}'", "mapping.mails: is missing; the queue holds 4 messages"],
      [`'{"nails": null}'`, "mapping.nails: pgmq has no queue"],
      [`'{"mails": {"typ": "T"}}'`, "mapping.mails: has to be"],
      [`${MAILS}, batch_size => 0`, "batch_size: has to be from 1 to 10000"],
    ];
    for (const [args, message] of refused) await assertRejects(() => move(args), Error, message);
    await sql`update pgmq.q_mails set message = '{"n": 12345678901234567890}' where msg_id = 4`;
    const error = await assertRejects(() => move(MAILS), Error, "queue mails, message 4: ");
    assertEquals(error.message.includes("payload.n"), true);
    assertEquals((await sql`select from pgmq.q_mails`).length, 4);
    assertEquals((await sql`select from public.messenger_messages`).length, 0);
    assertEquals(await move(`'{"mails": null}'`), {});
  }, createPgmq));

async function createPgBoss({ url, sql }: TestDatabase): Promise<void> {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
  await boss.start();
  await boss.createQueue("mails");
  await boss.createQueue("sync", { policy: "key_strict_fifo" });
  await boss.createQueue("report", { policy: "exclusive" });
  await boss.send("mails", { n: 1 }, { priority: 7, retentionSeconds: 3600 });
  await boss.send("mails", { n: 2 }, { startAfter: new Date("2100-01-01T00:00:00Z") });
  await boss.send("mails", null);
  const [failing] = [await boss.send("mails", { n: 4 }, { priority: 1000, retryDelay: 3600 })];
  const [job] = await boss.fetch("mails");
  assertEquals(job?.id, failing);
  await boss.fail("mails", job?.id ?? "");
  await boss.send("mails", { n: 5 }, { priority: 999 });
  await boss.fetch("mails");
  await boss.send("sync", { n: 6 }, { singletonKey: "a" });
  await boss.send("report", { n: 7 }, { singletonKey: "b" });
  await boss.stop({ graceful: false });
  assertEquals((await sql`select from pgboss.job`).length, 7);
}

const JOBS =
  `'{"mails": {"type": "Mail"}, "sync": {"type": "Sync"}, "report": {"type": "Report"}}'`;

Deno.test("pg-boss's waiting jobs move once, and keep times, priority, retries and keys", () =>
  withScript("pg-boss", async (move, { sql }) => {
    const dry = await move(`${JOBS}, dry_run => true`);
    assertEquals(dry.mails, { moved: 4, left: 4 });
    assertEquals((await sql`select from public.messenger_messages`).length, 0);
    const done = { mails: { moved: 4, left: 0 }, sync: { moved: 1, left: 0 } };
    assertEquals(await move(`${JOBS}, batch_size => 3`), {
      ...done,
      report: { moved: 1, left: 0 },
    });
    assertEquals((await move(JOBS)).mails, { moved: 0, left: 0 });
    const rows = await sql`
      select coalesce(payload ->> 'n', payload::text) as n, priority, retry_count, group_key, dedupe_key,
        available_at = '2100-01-01' as far, available_at > now() as later,
        expires_at < now() + interval '61 minutes' as short
      from public.messenger_messages order by type = 'Report', type = 'Sync', n`;
    const plain = { priority: 0, retry_count: 0, group_key: null, dedupe_key: null };
    const soon = { far: false, later: false, short: false };
    assertEquals([...rows], [
      { n: "1", ...plain, priority: 7, ...soon, short: true },
      { n: "2", ...plain, far: true, later: true, short: false },
      { n: "4", ...plain, priority: 1000, retry_count: 1, far: false, later: true, short: false },
      { n: "{}", ...plain, ...soon },
      { n: "6", ...plain, group_key: "a", ...soon },
      { n: "7", ...plain, dedupe_key: "b", ...soon },
    ]);
    assertEquals([...await sql`select state::text from pgboss.job`], [{ state: "active" }]);
  }, createPgBoss));

Deno.test("a pg-boss job whose key a message holds already stays in pg-boss", () =>
  withScript("pg-boss", async (move, { sql }) => {
    await sql`select public.messenger_dispatch('Report', dedupe_key => 'b')`;
    assertEquals((await move(JOBS)).report, { moved: 0, left: 1 });
    await sql`delete from public.messenger_messages`;
    assertEquals((await move(JOBS)).report, { moved: 1, left: 0 });
  }, createPgBoss));

Deno.test("the pg-boss script names what it refuses, and moves nothing of that batch", () =>
  withScript("pg-boss", async (move, { sql }) => {
    const refused: [string, string][] = [
      ["'1'", "mapping: has to be an object"],
      [`'{"mails": null}'`, "mapping.report: is missing; the queue holds 1 jobs"],
      [`'{"nails": null}'`, "mapping.nails: pg-boss has no queue"],
      [`'{"mails": "T"}'`, "mapping.mails: has to be"],
      [`${JOBS}, boss_schema => 'other'`, "boss_schema: other holds no pg-boss"],
      [`${JOBS}, batch_size => 0`, "batch_size: has to be from 1 to 10000"],
    ];
    for (const [args, message] of refused) await assertRejects(() => move(args), Error, message);
    await sql`update pgboss.job set priority = 2000 where data ->> 'n' = '6'`;
    await assertRejects(() => move(JOBS), Error, "queue sync, job ");
    assertEquals((await sql`select from pgboss.job where name = 'sync'`).length, 1);
    await sql`update pgboss.job set blocked = true where name = 'sync'`;
    await assertRejects(() => move(JOBS), Error, "queue sync: has jobs that depend on others");
    await sql`update pgboss.version set version = 24`;
    await assertRejects(() => move(JOBS), Error, "has to have 46 (pg-boss 12.38)");
  }, createPgBoss));
