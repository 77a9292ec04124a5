/**
 * Measures the requests of each page of the console on a large bus: 1M dead letters, 10,000 schedules, 1,000 queues,
 * 100,000 groups, 100,000 messages in the outbox, 10,000 lanes. Exits with 1 if one takes more than a second.
 *
 *   deno task bench:console [--small]
 */

import postgres from "postgres";
import { startStack } from "../local/stack.ts";

/** Longest time of an answer, in ms. */
const LIMIT_MS = 1_000;
/** Requests of each kind; the median counts. */
const ROUNDS = 5;

/** The requests of the pages; `id` and `group` are of the middle of the tables. */
const REQUESTS: readonly (readonly [page: string, path: string, body?: object])[] = [
  ["overview", "/health"],
  ["overview", "/stats"],
  ["overview", "/time-series?step=1m&from=FROM"],
  ["messages", "/messages?limit=50"],
  ["messages, running", "/messages?limit=50&status=processing"],
  ["messages, of a group", "/messages?limit=50&queue=queue-7&groupKey=group-50007"],
  ["messages, of an error that none has", "/messages?limit=50&error=no%20such%20text"],
  ["dead letters", "/failed-messages?limit=50"],
  ["dead letters, of a type", "/failed-messages?limit=50&type=Type3"],
  ["dead letters, of an error that none has", "/failed-messages?limit=50&error=no%20such%20text"],
  ["dead letters, by error", "/failed-messages/groups?limit=50"],
  ["dead letters, by error, of a type", "/failed-messages/groups?limit=50&type=Type3"],
  ["redrive, the first count", "/failed-messages/redrive", {
    type: "Type3",
    dryRun: true,
    budgetMs: 0,
  }],
  ["redrive, the first count of an error", "/failed-messages/redrive", {
    error: "error 77",
    dryRun: true,
    budgetMs: 0,
  }],
  ["queues", "/queues?limit=50"],
  ["queue", "/queues/queue-7"],
  ["queue", "/time-series?step=1m&from=FROM&queue=queue-7"],
  ["queue, its lanes", "/queues/tenants/lanes?limit=50"],
  ["lane", "/queues/tenants%2Fteam-5000"],
  ["transports", "/transports"],
  ["outbox", "/outbox?limit=50"],
  ["outbox, of a type that none has", "/outbox?limit=50&type=None"],
  ["outbox, sent", "/outbox?limit=50&state=sent"],
  ["outbox, the first count of a cancel", "/outbox/cancel", {
    transport: "events",
    dryRun: true,
    budgetMs: 0,
  }],
  ["schedules", "/schedules?limit=50&runs=10"],
  ["calendar", "/schedules/upcoming?from=FROM&until=UNTIL"],
  ["batches", "/batches?limit=50"],
  ["events", "/events?limit=50"],
  ["events, waiting", "/events/waiting?limit=50"],
  ["ticks", "/ticks?limit=50"],
  ["alerts", "/alerts"],
  ["alert deliveries", "/alert-deliveries?limit=50"],
  ["webhooks", "/webhooks?limit=50"],
  ["webhook deliveries", "/webhook-deliveries?limit=50"],
  ["action log", "/actions?limit=50"],
];

/** Fills the tables; bounded steps keep the statements short. */
async function fill(sql: postgres.Sql, dead: number): Promise<void> {
  await sql`insert into public.messenger_queues (name) select 'queue-' || n from generate_series(1, 1000) n`;
  for (let from = 0; from < dead; from += 100_000) {
    await sql`
      insert into public.messenger_failed_messages (
        id, type, payload, queue, reason, error, errors, attempts, retry_count, created_at, failed_at
      )
      select nextval('public.messenger_messages_id_seq'), 'Type' || n % 20, '{"n":1}', 'queue-' || n % 1000,
        'exhausted', 'error ' || n % 500, jsonb_build_array(jsonb_build_object('message', 'error ' || n % 500)),
        3, 2, now() - n * interval '2 seconds', now() - n * interval '1 second'
      from generate_series(${from}::int, ${from + 99_999}::int) n`;
  }
  await sql`
    select public.messenger_enqueue((
      select jsonb_agg(jsonb_build_object(
        'type', 'Type' || n % 20, 'queue', 'queue-' || n % 1000, 'payload', '{}'::jsonb, 'group_key', 'group-' || n,
        'delay_ms', 3600000
      )) from generate_series(k * 1000 + 1, (k + 1) * 1000) n
    )) from generate_series(0, 99) k`;
  await fillTransports(sql);
  await sql`
    insert into public.messenger_schedules (name, message_type, schedule_type, cron, next_run_at)
    select 'schedule ' || n, 'Type' || n % 20, 'cron', n % 60 || ' * * * *', now() + n * interval '1 second'
    from generate_series(1, 10000) n`;
  await sql`
    insert into public.messenger_schedule_runs (schedule_id, occurrence, run, outcome)
    select s.id, now() - n * interval '1 hour', 11 - n, 'handled'
    from public.messenger_schedules s, generate_series(1, 10) n`;
  await sql`analyze`;
}

/** An outbox of which a tenth is sent, and lanes with two messages each. */
async function fillTransports(sql: postgres.Sql): Promise<void> {
  await sql`select public.messenger_declare_routing('{"events": true, "eu": false}', '{"Audit*": "events"}')`;
  await sql`insert into public.messenger_queues (name, lane_concurrency) values ('tenants', 2)`;
  for (let from = 0; from < 100; from++) {
    await sql`
      select public.messenger_enqueue((
        select jsonb_agg(jsonb_build_object(
          'type', 'Audit' || n % 20, 'payload', '{}'::jsonb, 'group_key', 'group-' || n % 1000, 'transport', 'events'
        )) from generate_series(${from * 1_000}::int, ${from * 1_000 + 999}::int) n
      ))`;
    await sql`
      select public.messenger_enqueue((
        select jsonb_agg(jsonb_build_object(
          'type', 'Type' || n % 20, 'payload', '{}'::jsonb, 'queue', 'tenants/team-' || n % 10000, 'delay_ms', 3600000
        )) from generate_series(${from * 200}::int, ${from * 200 + 199}::int) n
      ))`;
  }
  await sql`update messenger.outbox set sent_at = now() where position % 10 = 0`;
}

/** The median of the times of a request, in ms. @throws Error if it is refused */
async function measure(
  api: string,
  secretKey: string,
  [page, path, body]: (typeof REQUESTS)[number],
): Promise<number> {
  const hour = 3_600_000;
  const place = path.replace(
    "FROM",
    new Date(Date.now() - (page === "calendar" ? 0 : hour)).toISOString(),
  )
    .replace("UNTIL", new Date(Date.now() + 24 * hour).toISOString());
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const response = await fetch(`${api}${place}`, {
      method: body ? "POST" : "GET",
      headers: { apikey: secretKey, "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    times.push(performance.now() - start);
    // An unhealthy bus is answered with 503.
    if (!response.ok && page !== "overview") throw new Error(`${page}: ${response.status} ${text}`);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0;
}

const dead = Deno.args.includes("--small") ? 100_000 : 1_000_000;
const dataDir = await Deno.makeTempDir({ prefix: "symphony-bench-console-" });
let slow = 0;
try {
  await using stack = await startStack({
    ...{ dataDir, durable: false, migrate: "sql", cron: false, net: false },
    messages: new URL("../tests/support/messages", import.meta.url).pathname,
  });
  const sql = postgres(stack.adminDbUrl, { max: 1, onnotice: () => {} });
  await fill(sql, dead);
  await sql.end();
  for (const request of REQUESTS) {
    const ms = await measure(`${stack.url}/functions/v1/messenger`, stack.secretKey, request);
    if (ms > LIMIT_MS) slow++;
    console.log(`${String(Math.round(ms)).padStart(6)} ms  ${request[0]}  ${request[1]}`);
  }
} finally {
  await Deno.remove(dataDir, { recursive: true });
}
console.log(
  slow === 0 ? "Every request takes less than a second." : `${slow} requests are too slow.`,
);
Deno.exit(slow === 0 ? 0 : 1);
