/** The cost of a settle call of 20 messages, for each outcome, beside 100,000 rows of each kind: a few pages each. */

import { assert } from "@std/assert";
import postgres from "postgres";
import { createTestDatabase } from "../support/database.ts";

const NUMBER = 100_000;
const SETTLED = 20;
/**
 * Pages of tables and indexes that a settle call may read for one of its messages: 60 as a rule, more where what earlier
 * calls have undone is still in the indexes. The table has some 6,000.
 */
const MOST_PAGES_A_MESSAGE = 250;

interface Plan {
  readonly Plan: { readonly "Shared Hit Blocks": number; readonly "Shared Read Blocks": number };
}

const TABLES = [
  ...["messages", "failed_messages", "handled_messages", "steps"].map((name) =>
    `public.messenger_${name}`
  ),
  ...["waits", "progress", "leases", "idempotency_keys"].map((name) => `messenger.${name}`),
];
const QUEUES = ["plain", "long", "many", "members", "durable"] as const;
type Queue = (typeof QUEUES)[number];

const token = (queue: Queue) => `00000000-0000-0000-0000-00000000000${QUEUES.indexOf(queue) + 1}`;

/** Messages of no group, of one long group, of a group and with a key each, of one batch, and with steps; 20 of each are leased. */
async function fill(sql: postgres.Sql): Promise<void> {
  // Otherwise some calls would be planned before, and others after it has come by.
  for (const table of TABLES) {
    await sql.unsafe(`alter table ${table} set (autovacuum_enabled = false)`);
  }
  const share = NUMBER / QUEUES.length;
  const enqueue = (queue: Queue, fields = "") =>
    sql.unsafe(`select public.messenger_enqueue(jsonb_agg(
      jsonb_build_object('type', 'T', 'queue', '${queue}' ${fields})
    )) from generate_series(1, ${share}) as n`);
  await enqueue("plain", ", 'idempotency_key', 'key:' || n");
  await enqueue("long", ", 'group_key', 'one'");
  await enqueue(
    "many",
    ", 'group_key', 'group:' || n, 'dedupe_key', 'key:' || n, 'dedupe', 'replace'",
  );
  await enqueue("durable");
  await sql.unsafe(`select public.messenger_dispatch_batch(jsonb_agg(
    jsonb_build_object('type', 'T', 'queue', 'members')
  ), 'import') from generate_series(1, ${share}) as n`);
  await sql`update public.messenger_queues set group_concurrency = ${SETTLED} where name = 'long'`;
  for (const queue of QUEUES) {
    await sql.unsafe(
      `select public.messenger_claim('${token(queue)}', ${SETTLED}, 3600000, '{${queue}}')`,
    );
  }
  await sql`insert into public.messenger_steps (message_id, handler, name, kind, status)
    select m.id, 'handler', 'step ' || n, 'step', 'done'
    from public.messenger_messages m cross join generate_series(1, 5) as n where m.queue = 'durable'`;
  await sql`insert into messenger.progress (message_id, value, at)
    select m.id, 0.5, now() from public.messenger_messages m`;
  await sql`insert into messenger.waits select 'event:' || m.id, m.id from public.messenger_messages m`;
  await sql`insert into public.messenger_failed_messages
      (id, type, payload, queue, priority, reason, error, errors, retry_count, attempts, created_at, failed_at)
    select nextval('public.messenger_messages_id_seq'), 'T', '{}', 'plain', 0, 'exhausted', 'e', '[]', 0, 1, now(), now()
    from generate_series(1, ${NUMBER})`;
  await sql`insert into public.messenger_handled_messages
      (id, type, queue, attempts, created_at, handled_at, keep_until)
    select nextval('public.messenger_messages_id_seq'), 'T', 'plain', 1, now(), now(), now() + interval '1 day'
    from generate_series(1, ${NUMBER})`;
}

const errors = [{ message: "no route", class: "Error", attempt: 1, at: new Date(), durationMs: 1 }];

/** The outcomes, each as a settlement makes it of the ids that are leased. */
const OUTCOMES: Readonly<Record<string, (ids: readonly string[]) => object>> = {
  handled: (ids) => ({ handled: ids, progressed: ids }),
  kept: (ids) => ({ handled: ids, kept: ids.map((id) => ({ id, keep_ms: 60_000, result: 1 })) }),
  released: (ids) => ({ released: ids }),
  snoozed: (ids) => ({ snoozed: ids.map((id) => ({ id, delay_ms: 60_000 })) }),
  retried: (ids) => ({
    retries: ids.map((id) => ({ id, delay_ms: 60_000, retry_count: 1, errors })),
  }),
  dead: (ids) => ({ dead: ids.map((id) => ({ id, reason: "exhausted", errors })) }),
  parked: (ids) => ({
    parked: ids.map((id) => ({
      ...{ id, delay_ms: 60_000, waits: [`event:${id}`] },
      step: { handler: "handler", name: "nap", kind: "sleep", until_ms: 60_000 },
    })),
  }),
  "handled with a child": (ids) => ({
    handled: ids,
    effects: ids.map((id) => ({
      id,
      messages: [{ id: String(NUMBER * 10 + Number(id)), type: "Child", queue: "plain" }],
      emits: [],
    })),
  }),
};

for (const analyzed of [false, true]) {
  Deno.test(`beside 100,000 rows of each kind, a settle call reads a few pages a message, ${analyzed ? "with" : "before there are"} statistics`, async () => {
    const database = await createTestDatabase();
    const sql = postgres(database.url, { max: 1, onnotice: () => {} });
    try {
      await fill(sql);
      if (analyzed) await sql`analyze`;
      for (const queue of QUEUES) {
        const leased = await sql<{ id: string }[]>`
          select id::text from public.messenger_messages where lease_token = ${token(queue)}`;
        const ids = leased.map(({ id }) => id);
        assert(ids.length === SETTLED, `${queue}: ${ids.length} were claimed`);
        for (const [outcome, settlementOf] of Object.entries(OUTCOMES)) {
          const settlement = {
            token: token(queue),
            ...settlementOf(ids),
            ...((queue === "long" || queue === "many") && { grouped: true }),
            ...(queue === "durable" && { durable: ids }),
          };
          const pages = await pagesOf(sql, JSON.stringify([settlement]));
          assert(
            pages <= SETTLED * MOST_PAGES_A_MESSAGE,
            `${outcome} messages of ${queue}: ${pages} pages`,
          );
        }
      }
    } finally {
      await sql.end();
      await database.drop();
    }
  });
}

/** Settles, and rolls it back. The first calls of a session read the catalog, so that only the last one counts. */
async function pagesOf(sql: postgres.Sql, settlements: string): Promise<number> {
  let pages = Infinity;
  for (let n = 0; n < 7; n++) {
    await sql.begin(async (sql) => {
      const [row] = await sql<{ "QUERY PLAN": Plan[] }[]>`
        explain (analyze, buffers, format json)
        select public.messenger_settle(${settlements}::text::jsonb) as result`;
      const plan = row?.["QUERY PLAN"][0]?.Plan;
      pages = (plan?.["Shared Hit Blocks"] ?? Infinity) + (plan?.["Shared Read Blocks"] ?? 0);
      const [left] = await sql`
        select from public.messenger_messages where lease_token = ${
        JSON.parse(settlements)[0].token
      } limit 1`;
      assert(!left, `a message kept its lease after ${settlements}`);
      throw new Undone();
    }).catch((error) => {
      if (!(error instanceof Undone)) throw error;
    });
  }
  return pages;
}

/** Ends a transaction whose changes are not to stay. */
class Undone extends Error {}
