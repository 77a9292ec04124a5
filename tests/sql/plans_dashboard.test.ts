/**
 * How much the dashboard's views and the time series read of large tables: a bounded number of rows, with statistics and
 * before there are any.
 */

import { assert } from "@std/assert";
import type postgres from "postgres";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const DEAD_LETTERS = 40_000;
const QUEUES = 300;
const MESSAGES = 30_000;
const SERIES = 50;

/** A statement, and the most rows and index entries that it may read. Each row counts twice where an index leads to it. */
const STATEMENTS: readonly [statement: string, mostRows: number][] = [
  // 10,001 dead letters twice, the queues in use, and 10,000 schedules.
  ["select * from public.messenger_overview", 100_000],
  // Of 20 queues, with 100 messages each.
  ["select * from public.messenger_queue_overview order by queue limit 20", 15_000],
  ["select * from public.messenger_failures limit 100", 20_100],
  ["select * from public.messenger_slow limit 100", 15_000],
  // All together are in one series: a row a minute.
  ["select public.messenger_time_series()", 300],
  ["select public.messenger_time_series(now() - interval '23 hours', step_seconds => 300)", 3_500],
  ["select public.messenger_time_series(type => 'T1')", 600],
];

async function fill({ sql }: TestDatabase): Promise<void> {
  await sql`alter table public.messenger_messages disable trigger user`;
  await sql`insert into public.messenger_failed_messages
      (id, type, payload, queue, reason, error, created_at, failed_at)
    select n, 'T' || n % 9, '{}', 'q' || n % ${QUEUES}, 'exhausted', 'error ' || n % 50, now(),
      now() - n * interval '1 second'
    from generate_series(1, ${DEAD_LETTERS}) n`;
  await sql`insert into public.messenger_queues (name)
    select 'q' || n from generate_series(0, ${QUEUES - 1}) n`;
  await sql`insert into public.messenger_messages (type, queue, group_key, blocked, available_at)
    select 'T', 'q' || n % ${QUEUES}, 'g' || n % 10000, n > 10000, now() - interval '1 minute'
    from generate_series(1, ${MESSAGES}) n`;
  await sql`insert into messenger.series (queue, type, handled)
    select '', '', 1 union all select 'q' || n, 'T' || n, 1 from generate_series(1, ${
    SERIES - 1
  }) n`;
  await sql`insert into messenger.series_points (at, series_id, handled, latency, runs)
    select date_trunc('minute', now()) - m * interval '1 minute', s.id, 1, '{1,2,3}', '{1,2}'
    from messenger.series s, generate_series(0, 1439) m`;
}

/** Rows and index entries that this session has read of all tables of the bus. */
async function soFar(sql: postgres.TransactionSql): Promise<number> {
  const [row] = await sql<[{ rows: number }]>`
    select sum(pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid))::int as rows
    from pg_class c
    where c.relnamespace in ('public'::regnamespace, 'messenger'::regnamespace) and c.relkind in ('r', 'i')`;
  return row.rows;
}

/** Rows and index entries that a statement reads of all tables of the bus, by Postgres's own statistics of the transaction. */
async function rowsRead({ sql }: TestDatabase, statement: string): Promise<number> {
  return await sql.begin(async (sql) => {
    await sql`set local role service_role`;
    const before = await soFar(sql);
    await sql.unsafe(statement);
    return await soFar(sql) - before;
  }) as number;
}

for (const analyzed of [false, true]) {
  Deno.test(`views and time series read a bounded part of large tables, ${analyzed ? "with" : "before there are"} statistics`, async () => {
    const database = await createTestDatabase();
    try {
      await database.sql`alter table messenger.series_points set (autovacuum_enabled = false)`;
      await database
        .sql`alter table public.messenger_failed_messages set (autovacuum_enabled = false)`;
      await fill(database);
      // So small a table has statistics a minute after its rows were written, and these rows stay for years.
      await database.sql`analyze public.messenger_queues`;
      if (analyzed) await database.sql.unsafe("analyze");
      const read: [string, number, number][] = [];
      for (const [statement, most] of STATEMENTS) {
        read.push([statement, await rowsRead(database, statement), most]);
      }
      const tooMany = read.filter(([, rows, most]) => !(rows <= most));
      assert(tooMany.length === 0, JSON.stringify(tooMany));
    } finally {
      await database.drop();
    }
  });
}
