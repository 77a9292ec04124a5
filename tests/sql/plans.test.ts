/**
 * How Postgres plans the statements of the hot functions, with statistics and before there are any:
 * no read of the whole table, and no sort of the backlog. auto_explain shows the plans as they ran.
 */

import { assert } from "@std/assert";
import postgres from "postgres";
import { createTestDatabase } from "../support/database.ts";

/** A statement of a function, as it was planned. */
interface Planned {
  readonly query: string;
  readonly plan: string;
}

const CALLS: readonly [name: string, call: string][] = [
  ["a claim", "select public.messenger_claim('00000000-0000-0000-0000-000000000001', 100)"],
  [
    "a claim that continues behind its last keys",
    `select public.messenger_claim('00000000-0000-0000-0000-000000000002', 100,
      last_keys => '{"default":[0,"2026-01-01T00:00:00Z","100"]}')`,
  ],
  [
    "a settle call with a claim",
    `select public.messenger_settle_and_claim(
      jsonb_build_array(jsonb_build_object(
        'token', '00000000-0000-0000-0000-000000000001', 'handled', (
          select jsonb_agg(m.id::text) from public.messenger_messages m
          where m.lease_token = '00000000-0000-0000-0000-000000000001'
        )
      )), '00000000-0000-0000-0000-000000000003', 100
    )`,
  ],
  [
    "a heartbeat",
    `select public.messenger_heartbeat(jsonb_build_array(jsonb_build_object(
      'token', '00000000-0000-0000-0000-000000000003', 'ids', '["1", "2", "3"]'::jsonb
    )))`,
  ],
  ["a search for what falls due next", "select messenger.next_due('{default,other}')"],
  ["a search for what falls due next in any queue", "select messenger.next_due()"],
  [
    "a claim of lanes",
    `select public.messenger_claim('00000000-0000-0000-0000-000000000004', 100, queues => '{reports}')`,
  ],
  ["a search for what falls due next in lanes", "select messenger.next_due('{reports}')"],
  ["a search beside lanes that are held", "select messenger.next_due('{held}')"],
  [
    "a claim beside lanes that are held",
    `select public.messenger_claim('00000000-0000-0000-0000-000000000005', 100, queues => '{held}')`,
  ],
  ["a search for lanes that limits hold back", "select messenger.busy_lanes(null, 1000)"],
];

/** Calls a function and returns the plans of the statements in it. */
async function plansOf(sql: postgres.Sql, notices: string[], call: string): Promise<Planned[]> {
  notices.length = 0;
  await sql.unsafe(call);
  return notices.filter((notice) => notice.includes("Query Text:")).map((notice): Planned => {
    const [, query = "", plan = ""] = /Query Text: (.*?)\n(.*)/s.exec(notice) ?? [];
    return { query, plan };
  });
}

/** Whether what a sort takes comes from a scan of the messages, and not from the few in hand. */
function sortsMessages(plan: string): boolean {
  const lines = plan.split("\n");
  return lines.some((line, at) => {
    if (!/^\s*(->\s+)?(Incremental )?Sort\b/.test(line)) return false;
    const depth = line.search(/\S/);
    const below = lines.slice(at + 1);
    const end = below.findIndex((other) => other.search(/\S/) <= depth);
    return below.slice(0, end === -1 ? undefined : end)
      .some((other) => other.includes("on messenger_messages") && !other.includes("Tid Scan"));
  });
}

for (const analyzed of [false, true]) {
  Deno.test(`hot calls read no table in full and sort no backlog, ${analyzed ? "with" : "before there are"} statistics`, async () => {
    const notices: string[] = [];
    const database = await createTestDatabase();
    const onnotice = ({ message = "" }: postgres.Notice) => notices.push(message);
    const sql = postgres(database.url, { max: 1, onnotice });
    try {
      await sql`alter table public.messenger_messages set (autovacuum_enabled = false)`;
      await sql`insert into public.messenger_messages (type, queue, priority, available_at)
        select 'T', case n % 4 when 0 then 'default' when 1 then 'other' else 'reports/t' || n % 1000 end, n % 3,
          '2026-01-01'::timestamptz + n * interval '1 second' from generate_series(1, 100000) n`;
      await sql`insert into public.messenger_messages (type, queue, available_at)
        select 'T', 'held/t' || n % 5000, now() + (n % 2 - 0.5) * interval '1 hour' from generate_series(1, 10000) n`;
      await sql`insert into public.messenger_queues (name, paused)
        select 'held/t' || n, n % 2 = 1 from generate_series(1, 4990) n`;
      if (analyzed) await sql`analyze public.messenger_messages, public.messenger_queues`;
      await sql.unsafe(`load 'auto_explain'; set auto_explain.log_min_duration = 0;
        set auto_explain.log_nested_statements = on; set client_min_messages = log`).simple();
      for (const [name, call] of CALLS) {
        const plans = await plansOf(sql, notices, call);
        const nested = plans.filter(({ query }) =>
          !query.includes("public.messenger_settle_and_claim(")
        );
        assert(nested.some(({ plan }) => plan.includes("messenger_messages")), name);
        for (const { query, plan } of nested) {
          assert(!/Seq Scan on messenger_messages/.test(plan), `${name}: ${query}\n${plan}`);
          assert(!sortsMessages(plan), `${name}: ${query}\n${plan}`);
        }
      }
    } finally {
      await sql.end();
      await database.drop();
    }
  });
}
