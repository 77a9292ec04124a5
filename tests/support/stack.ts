/** The local stack on a database of a test's own, with the messages of the tests. */

import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import postgres from "postgres";
import { type Stack, type StackOptions, startStack } from "../../local/stack.ts";
import type { SchedulesReport } from "../../supabase/functions/_shared/symphony/scheduler/processing.ts";
import { createTestDatabase } from "./database.ts";
import { EFFECTS_TABLE } from "./messages/mod.ts";
import { testsSharing } from "./shared_tests.ts";

const LOCK_NOT_AVAILABLE = "55P03";

/** An entry that a handler of the tests recorded. */
export interface Effect {
  message_id: string;
  type: string;
  attempt: number;
  payload: Record<string, unknown>;
  context: { quarantined: boolean; schedule: unknown; user: unknown };
  at: Date;
}

/** A stack that belongs to one test file. */
export interface TestStack extends Stack {
  /** Queries as a superuser. */
  readonly sql: postgres.Sql;
  /** A client with the secret key. */
  readonly client: SupabaseClient;
  /** Everything the functions have printed. */
  readonly logs: string[];
  /** Posts to a function; the secret key goes along unless headers are given. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Dispatches with the secret key and returns the ids. */
  dispatch(body: unknown): Promise<string[]>;
  /** Runs a tick to its end and returns its report. */
  tick(body?: unknown): Promise<TickReport>;
  /** The entries that the handlers have recorded, in order. */
  effects(): Promise<Effect[]>;
  /** How many messages wait or run. */
  count(): Promise<number>;
  /** Empties the bus between tests. */
  clear(): Promise<void>;
}

/** The report of a tick. */
export interface TickReport {
  schedules: SchedulesReport;
  messages: { claimed: number; handled: number; retried: number; failed: number };
  durationMs: number;
}

/**
 * Starts a stack on a database of the test run's server, or on the Postgres that the options name;
 * pg_cron's and pg_net's stand-ins are off unless asked for.
 */
export async function startTestStack(options: StackOptions = {}): Promise<TestStack> {
  const database = options.postgres ? null : await createTestDatabase();
  const dataDir = await Deno.makeTempDir({ prefix: "symphony-stack-" });
  const logs: string[] = [];
  const stack = await startStack({
    ...(database && { postgres: { url: database.url } }),
    dataDir,
    durable: false,
    migrate: "sql",
    messages: new URL("./messages", import.meta.url).pathname,
    cron: false,
    net: false,
    log: (line) => logs.push(line),
    ...options,
  });
  const sql = database?.sql ?? postgres(stack.adminDbUrl, { max: 4, onnotice: () => {} });
  await sql.unsafe(EFFECTS_TABLE);
  const auth = { persistSession: false, autoRefreshToken: false };
  const post = (path: string, body: unknown, headers?: Record<string, string>) =>
    fetch(`${stack.url}/functions/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers ?? { apikey: stack.secretKey } },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const answer = async <Body>(response: Response, status: number): Promise<Body> => {
    const text = await response.text();
    if (response.status !== status) {
      throw new Error(`${response.status} ${text}\n${logs.join("\n")}`);
    }
    return JSON.parse(text);
  };
  return {
    ...stack,
    sql,
    client: createClient(stack.url, stack.secretKey, { auth }),
    logs,
    post,
    dispatch: async (body) =>
      (await answer<{ ids: string[] }>(await post("dispatch", body), 202)).ids,
    tick: async (body = {}) => await answer<TickReport>(await post("tick", body), 200),
    effects: async () => await sql<Effect[]>`select * from public.test_effects order by id`,
    count: async () => {
      const [row] = await sql<[{ n: number }]>`
        select count(*)::int as n from public.messenger_messages`;
      return row.n;
    },
    clear: async () => {
      if (options.net) await ticksOver(sql);
      await eventually(() => empty(sql), (isEmpty) => isEmpty);
    },
    stop: async () => {
      await (database ? database.drop() : sql.end());
      await stack.stop();
      await Deno.remove(dataDir, { recursive: true });
    },
  };
}

/**
 * Waits until no tick works that the test before has left behind: it would take this test's messages. For
 * some seconds at most, for one that was killed never ends.
 */
async function ticksOver(sql: postgres.Sql): Promise<void> {
  const deadline = performance.now() + 5_000;
  await eventually(
    () =>
      sql`select from public.messenger_ticks where ended_at is null
        and coalesce(heartbeat_at > clock_timestamp() - interval '6 seconds',
          asked_at > clock_timestamp() - interval '2 seconds')`,
    (rows) => rows.length === 0 || performance.now() > deadline,
  );
}

/**
 * Empties the bus, or returns false. A tick of the test before may still run, and lock these tables in
 * another order: this gives up long before the second after which Postgres breaks a deadlock.
 */
async function empty(sql: postgres.Sql): Promise<boolean> {
  try {
    await sql.begin(async (sql) => {
      await sql`set local lock_timeout = '100ms'`;
      await sql`truncate public.messenger_messages, messenger.leases, public.messenger_batches,
        messenger.batch_chunks, messenger.batch_deltas,
        public.messenger_failed_messages, messenger.idempotency_keys, public.messenger_ticks, public.messenger_queues,
        messenger.start_grants, messenger.rate_limits, messenger.progress, messenger.outbox, messenger.relays,
        messenger.outbox_state, messenger.handled_deliveries, messenger.delivery_starts, messenger.transports, messenger.routes,
        public.messenger_handled_messages, public.messenger_events, messenger.waits, messenger.event_notes,
        messenger.used_tokens, messenger.series, messenger.series_points, messenger.backlog_points,
        public.messenger_webhook_endpoints, public.messenger_webhook_events,
        public.messenger_webhook_deliveries, public.test_effects`;
      await sql`insert into public.messenger_queues (name) values ('default')`;
    });
    return true;
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === LOCK_NOT_AVAILABLE) return false;
    throw error;
  }
}

/** Asks again until the answer is what is waited for. @throws Error if it does not come in time */
export async function eventually<Answer>(
  ask: () => Promise<Answer>,
  isThere: (answer: Answer) => boolean,
  withinMs = 20_000,
): Promise<Answer> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (isThere(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(`waited ${withinMs} ms in vain; last: ${JSON.stringify(answer)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Puts the next minute's tick off by an hour: what falls due before it has to be seen to by others. */
export async function withoutMinutes(stack: TestStack): Promise<void> {
  await stack.sql`
    create or replace function messenger.next_minute() returns timestamptz
    language sql volatile set search_path = ''
    as $$ select messenger.clock() + interval '1 hour' $$`;
}

/** Registers tests that share one stack; each finds the bus empty. */
export function testsOnStack(
  options: StackOptions,
  register: (
    test: (name: string, body: (stack: TestStack) => Promise<void>) => void,
  ) => void,
): void {
  const test = testsSharing("the stack", async (parts) => {
    const stack = await startTestStack(options);
    parts.defer(() => stack.stop());
    return stack;
  });
  register((name, body) =>
    test(name, async (stack) => {
      await stack.clear();
      await body(stack);
    })
  );
}
