/** The step from 0.1.0 to 0.2.0: the claims that it meets, and objects of the user's in its way. */

import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import postgres from "postgres";
import { migrationsIn, SUPABASE } from "../../local/release_source.ts";
import { faultOf } from "../../supabase/functions/_shared/symphony/database/fault.ts";
import { createPlainDatabase } from "../support/plain_database.ts";
import { eventually } from "../support/stack.ts";

const [first, step] = await Promise.all([migrationOf("0.1.0"), migrationOf("0.2.0")]);

async function migrationOf(version: string): Promise<string> {
  const found = migrationsIn().find((release) => release.version === version);
  return await Deno.readTextFile(`${SUPABASE}migrations/${found?.name}`);
}

/** A database with 0.1.0, for one test. */
async function onOlder(
  run: (sql: postgres.Sql, session: postgres.Sql) => Promise<void>,
): Promise<void> {
  const database = await createPlainDatabase();
  const session = postgres(database.url, { max: 1, onnotice: () => {} });
  try {
    await apply(database.sql, first);
    await run(database.sql, session);
  } finally {
    await session.end({ timeout: 0 });
    await database.drop();
  }
}

/** Applies a migration as the owner, and does something before it is committed. */
async function apply(
  sql: postgres.Sql,
  text = step,
  before = () => Promise.resolve(),
): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction.unsafe(`set local role postgres; ${text}`).simple();
    await before();
  });
}

for (
  const [sweep, isFirst] of [[false, false], [true, false], [false, true], [true, true]] as const
) {
  const kind = `${isFirst ? "first" : "later"} claim of a session of 0.1.0`;
  Deno.test(`a ${kind} ${sweep ? "with" : "without"} a sweep that waits for the migration passes, or its worker repeats it`, () =>
    onOlder(async (sql, worker) => {
      await sql`select messenger_dispatch('Note') from generate_series(1, 3)`;
      const claim = async () =>
        await worker<{ n: number }[]>`select json_array_length(messenger_claim(
          gen_random_uuid(), 1, queues => '{default}', sweep => ${sweep}) -> 'messages') as n`;
      if (!isFirst) assertEquals((await claim())[0]?.n, 1);
      let waiting: Promise<unknown> = Promise.resolve();
      await apply(sql, step, async () => {
        waiting = claim().then(() => undefined, (error) => error);
        await eventually(
          async () => (await sql`select from pg_locks where not granted`).length,
          (locks) => locks > 0,
        );
      });
      const error = await waiting;
      if (error instanceof postgres.PostgresError) {
        assertEquals(
          faultOf({ code: error.code, message: error.message }),
          "passing",
          error.message,
        );
      } else assertEquals(error, undefined);
      assertEquals((await claim())[0]?.n, 1);
    }));
}

Deno.test("objects of the user's that prevent the change of a column are all named, and nothing is changed", () =>
  onOlder(async (sql) => {
    await sql.unsafe(`
      create schema app;
      create view app.by_queue as select queue, count(*) from public.messenger_messages group by 1;
      create materialized view app.by_group as select distinct group_key from public.messenger_messages;
      create view app.by_queue_again as select * from app.by_queue;
      create policy own_queue on public.messenger_messages for select to authenticated using (queue = 'own');
      create function app.noted() returns trigger language plpgsql as 'begin return new; end';
      create trigger noted after insert on public.messenger_messages
        for each row when (new.queue = 'noted') execute function app.noted();
      create function app.queues() returns bigint
        begin atomic; select count(queue) from public.messenger_messages; end;
      create rule kept as on delete to public.messenger_queues where old.name = 'kept' do instead nothing;
    `).simple();
    const error = await assertRejects(() => apply(sql), postgres.PostgresError);
    assertEquals(error.code, "0A000");
    for (
      const name of [
        "view app.by_queue,",
        "materialized view app.by_group",
        "policy own_queue on table messenger_messages",
        "trigger noted on table messenger_messages",
        "rule kept on table messenger_queues",
        "function app.queues()",
      ]
    ) assertStringIncludes(`${error.message},`, name);
    assertEquals(error.message.includes("by_queue_again"), false);
    assertMatch(error.hint ?? "", /Drop them, push again/);
    assertEquals((await sql`select messenger_version() as v`)[0]?.v, "0.1.0");
    await sql.unsafe(`
      drop view app.by_queue cascade;
      drop materialized view app.by_group;
      drop policy own_queue on public.messenger_messages;
      drop trigger noted on public.messenger_messages;
      drop rule kept on public.messenger_queues;
      drop function app.queues();
    `).simple();
    await apply(sql);
    assertEquals((await sql`select messenger_version() as v`)[0]?.v, "0.2.0");
  }));
