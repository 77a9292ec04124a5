/**
 * A session writes messages of thousands of new queues with the plans that it made while there were a
 * few queues. Statistics of nearly empty tables make such a plan cheap, and no vacuum replaces it in a transaction.
 */

import { assert } from "@std/assert";
import postgres from "postgres";
import { createTestDatabase } from "../support/database.ts";

/** Messages of a call, and calls of each kind. */
const BATCH = 100;
const CALLS = 20;

/** Kinds of messages, as fields of the message `n`, which is in a queue of its own or in a lane. */
const KINDS: readonly [name: string, fields: string][] = [
  ["plain messages", "'queue', 'plain' || n"],
  ["messages in lanes", "'queue', 'lanes' || n || '/acme'"],
  ["messages with an idempotency key", "'queue', 'idempotent' || n, 'idempotency_key', n::text"],
  ["messages with a dedupe key", "'queue', 'deduped' || n, 'dedupe_key', n::text"],
  ["messages of groups", "'queue', 'grouped' || n / 2, 'group_key', 'g'"],
];

Deno.test("to write messages of new queues reads each queue by its name, however few there were before", async () => {
  const database = await createTestDatabase();
  const sql = postgres(database.url, { max: 1 });
  try {
    await sql`alter table public.messenger_queues set (autovacuum_enabled = false)`;
    await sql`alter table public.messenger_messages set (autovacuum_enabled = false)`;
    await sql`vacuum analyze`;
    await sql.begin(async (tx) => {
      const assertFewRead = async (name: string) => {
        const [read] = await tx<
          { rows: number }[]
        >`select seq_tup_read::integer as rows from pg_stat_xact_user_tables
          where relid = 'public.messenger_queues'::regclass`;
        assert(read && read.rows < 1000, `${name}: sequential scans have read ${read?.rows} rows`);
      };
      for (const [name, fields] of KINDS) {
        for (let first = 0; first < CALLS * BATCH; first += BATCH) {
          await tx`select public.messenger_enqueue((
            select jsonb_agg(jsonb_build_object('type', 'T', ${tx.unsafe(fields)}))
            from generate_series(${first}::integer, ${first + BATCH - 1}::integer) as n
          ))`;
        }
        await assertFewRead(name);
      }
      await tx`update public.messenger_messages set priority = 1 where queue like 'plain%'`;
      await assertFewRead("messages that are changed in SQL");
    });
  } finally {
    await sql.end();
    await database.drop();
  }
});
