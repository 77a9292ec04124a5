/** The cost of emits, waits and reads beside 100,000 events and 100,000 waits: a few pages. */

import { assert } from "@std/assert";
import postgres from "postgres";
import { createTestDatabase } from "../support/database.ts";

const NUMBER = 100_000;
/** Pages of tables and indexes that a call may read, also the catalog's. */
const MOST_PAGES = 80;

interface Plan {
  readonly Plan: { readonly "Shared Hit Blocks": number; readonly "Shared Read Blocks": number };
}

/** Events of one key and of many keys, messages that wait for one key and for many. */
async function fill(sql: postgres.Sql): Promise<void> {
  await sql`alter table public.messenger_events disable trigger messenger_events_wake`;
  await sql`insert into public.messenger_events (event, created_at)
    select case when n % 2 = 0 then 'hot' else 'key:' || n end, now() - interval '30 days' + n * interval '20 seconds'
    from generate_series(1, ${NUMBER}) as n`;
  await sql`alter table public.messenger_events enable trigger messenger_events_wake`;
  await sql`insert into public.messenger_messages (id, type, status, available_at, lease_token, leased_until)
    select n, 'W', case when n = 1 then 'processing' else 'pending' end, now() + interval '1 day',
      case when n = 1 then '00000000-0000-0000-0000-000000000001'::uuid end,
      case when n = 1 then now() + interval '1 day' end
    from generate_series(1, ${NUMBER}) as n`;
  await sql`insert into messenger.waits
    select case when n % 2 = 0 then 'busy' else 'wait:' || n end, n from generate_series(2, ${NUMBER}) as n`;
  await sql`insert into public.messenger_steps (message_id, handler, name, kind, status, until, details)
    select 1, 'handler', 'wait', 'wait', 'pending', now() + interval '1 day', jsonb_build_object(
      'keys', '["hot"]'::jsonb, 'cursors', jsonb_build_object('hot', jsonb_build_object(
        'id', (select max(id)::text from public.messenger_events), 'snapshot', pg_current_snapshot()::text
      ))
    )`;
}

const read = (more: object) =>
  `select public.messenger_read_events('${
    JSON.stringify([{
      ...{ id: "1", token: "00000000-0000-0000-0000-000000000001", since: new Date() },
      ...more,
    }])
  }')`;

const CALLS: readonly [name: string, call: string][] = [
  ["an emit for which none waits", "select public.messenger_emit('key:7')"],
  ["an emit for which one waits", "select public.messenger_emit('wait:101')"],
  ["a read of a busy key since the dispatch", read({ keys: ["hot"], cursors: {} })],
  [
    "a read of a busy key behind its last event",
    read({
      keys: ["hot"],
      cursors: { hot: { id: String(NUMBER), snapshot: "999999999:999999999:" } },
    }),
  ],
  ["a wait for a busy key", "select messenger.note_waits(1, '{hot}')"],
  ["a sweep of the notes", "select messenger.wake_noted_waiters()"],
  ["a wake of one of many keys", "select messenger.wake_waiters('wait:99', 0, null, 100)"],
];

for (const analyzed of [false, true]) {
  Deno.test(`beside 100,000 events and waits, calls read a few pages, ${analyzed ? "with" : "before there are"} statistics`, async () => {
    const database = await createTestDatabase();
    const sql = postgres(database.url, { max: 1, onnotice: () => {} });
    try {
      await fill(sql);
      if (analyzed) await sql`analyze`;
      for (const [name, call] of CALLS) {
        // The first calls read the catalog.
        for (let n = 0; n < 6; n++) await sql.unsafe(call);
        const [row] = await sql.begin(async (sql) => {
          // The emit's look for messages that wait is a part of the call.
          await sql`set constraints all immediate`;
          return await sql.unsafe<{ "QUERY PLAN": Plan[] }[]>(
            `explain (analyze, buffers, format json) ${call}`,
          );
        });
        const { Plan: plan } = row?.["QUERY PLAN"][0] ?? {};
        const pages = (plan?.["Shared Hit Blocks"] ?? Infinity) +
          (plan?.["Shared Read Blocks"] ?? 0);
        assert(pages <= MOST_PAGES, `${name}: ${pages} pages`);
      }
    } finally {
      await sql.end();
      await database.drop();
    }
  });
}
