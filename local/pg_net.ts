// Stands in for pg_net's background worker (net.sql holds its tables and functions). As in pg_net
// 0.20: a batch of 200 requests leaves the queue, is sent, and has its responses stored, all in one
// transaction; then comes a pause of a second. A commit that asks for a request cuts the wait short
// only if none has done so since the worker was last idle.
import postgres from "postgres";
import { startDatabaseWorker } from "./database_worker.ts";

const BATCH_SIZE = 200;
const PAUSE_MS = 1000;
/** Longest time that a timer waits. */
const FOR_EVER_MS = 2 ** 31 - 1;
const TTL = "6 hours";

interface QueuedRequest {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string> | null;
  body: string | null;
  timeout_milliseconds: number;
}

interface StoredResponse {
  status_code: number | null;
  content_type: string | null;
  headers: Record<string, string> | null;
  content: string | null;
  timed_out: boolean;
  error_msg: string | null;
}

/** Starts the worker on a database, as a superuser. `stop` breaks a batch off, which is sent again later. */
export async function startPgNet(databaseUrl: string): Promise<{ stop(): Promise<void> }> {
  const client = Deno.createHttpClient({});
  const rhythm = new Rhythm();
  const worker = startDatabaseWorker({ databaseUrl, name: "pg_net", connections: 1 }, {
    prepare: () => Promise.resolve(rhythm.restart()),
    round: (sql, signal) =>
      rhythm.round(async () => {
        const expired = await deleteExpired(sql);
        return expired + await sendBatch(sql, client, signal) > 0;
      }),
  });
  const onCommit = () => {
    if (rhythm.ask()) worker.wake();
  };
  // The listener has a client of its own, which reconnects by itself. Commits during the gap send it no
  // notice, so the end of a reconnect counts as one.
  const listener = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await listener.listen("pg_net_wake", onCommit, onCommit);
  return {
    async stop() {
      await listener.end({ timeout: 1 });
      await worker.stop();
      client.close();
    },
  };
}

/** When pg_net's worker looks into its queue: its flag `should_wake`, and its two loops. */
export class Rhythm {
  #shouldWake = true;
  #works = false;

  /** A worker that has just started looks at once. */
  restart(): void {
    this.#shouldWake = true;
    this.#works = false;
  }

  /** Notes that a commit has queued a request. Returns whether that wakes the worker. */
  ask(): boolean {
    const wakes = !this.#shouldWake;
    this.#shouldWake = true;
    return wakes;
  }

  /**
   * Runs one round of the worker.
   * @param work returns whether there was something to do
   * @returns the milliseconds until the next round, unless a request wakes the worker earlier
   */
  async round(work: () => Promise<boolean>): Promise<number> {
    // Only an idle worker puts the flag back: while it works, one commit wakes it, and no other.
    if (!this.#works && !this.#shouldWake) return FOR_EVER_MS;
    if (!this.#works) this.#shouldWake = false;
    this.#works = await work();
    return PAUSE_MS;
  }
}

/** Deletes expired responses and returns how many there were. */
async function deleteExpired(sql: postgres.Sql): Promise<number> {
  const { count } = await sql`
    delete from net._http_response where ctid in (
      select ctid from net._http_response where created < now() - ${TTL}::interval
      order by created limit ${BATCH_SIZE}
    )`;
  return count;
}

/** Answers how many requests it sent. */
async function sendBatch(
  sql: postgres.Sql,
  client: Deno.HttpClient,
  signal: AbortSignal,
): Promise<number> {
  return await sql.begin(async (transaction) => {
    const requests = await transaction<QueuedRequest[]>`
      with batch as (select id from net.http_request_queue order by id limit ${BATCH_SIZE})
      delete from net.http_request_queue q using batch where q.id = batch.id
      returning q.id, q.method, q.url, q.headers, convert_from(q.body, 'UTF8') as body, q.timeout_milliseconds`;
    await Promise.all(requests.map(async (request) => {
      const response = await send(request, client, signal);
      await transaction`
        insert into net._http_response ${transaction({ id: request.id, ...response })}`;
    }));
    return requests.length;
  });
}

async function send(
  request: QueuedRequest,
  client: Deno.HttpClient,
  stop: AbortSignal,
): Promise<StoredResponse> {
  const startedAt = performance.now();
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), request.timeout_milliseconds);
  try {
    const response = await fetch(request.url, {
      method: request.method.toUpperCase(),
      headers: { ...request.headers, "User-Agent": "pg_net/0.20.0" },
      body: request.method.toUpperCase() === "GET" ? null : request.body,
      client,
      signal: AbortSignal.any([timeout.signal, stop]),
    });
    const content = await response.text();
    return {
      status_code: response.status,
      content_type: response.headers.get("content-type"),
      headers: Object.fromEntries(response.headers),
      content: content === "" ? null : content,
      timed_out: false,
      error_msg: null,
    };
  } catch (error) {
    if (stop.aborted) throw error;
    const elapsedMs = (performance.now() - startedAt).toFixed(3);
    return failure(
      timeout.signal.aborted,
      timeout.signal.aborted
        ? `Timeout of ${request.timeout_milliseconds} ms reached. Total time: ${elapsedMs} ms`
        : describe(error),
    );
  } finally {
    clearTimeout(timer);
  }
}

function failure(timed_out: boolean, error_msg: string): StoredResponse {
  return {
    status_code: null,
    content_type: null,
    headers: null,
    content: null,
    timed_out,
    error_msg,
  };
}

/** The words of libcurl for the commonest failure; any other in Deno's. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (/Connection refused|ECONNREFUSED/.test(error.message)) return "Couldn't connect to server";
  return error.cause === undefined ? error.message : describe(error.cause);
}
