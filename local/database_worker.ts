// The background loop of the stand-ins for pg_cron and pg_net, with its connections to the database. When
// a connection is lost, the loop starts again, like a background worker that Postgres restarts.
import postgres from "postgres";

/** Where a worker connects. */
export interface WorkerOptions {
  databaseUrl: string;
  /** Its `application_name`. */
  name: string;
  connections: number;
}

/** The steps of a worker. */
export interface WorkerSteps {
  /** Called first on each new session; `lost` rejects when one of its connections is lost. */
  prepare?(sql: postgres.Sql, lost: Promise<never>): Promise<void>;
  /** Called repeatedly. Returns the milliseconds to wait before the next call. */
  round(sql: postgres.Sql, signal: AbortSignal): Promise<number>;
}

/** A worker that runs. */
export interface DatabaseWorker {
  /** Cuts the wait short; when it comes during a round, the next one follows at once. */
  wake(): void;
  /** Aborts the signal of the current round and resolves when that has ended. */
  stop(): Promise<void>;
}

/** As Postgres waits before it restarts a background worker (bgw_restart_time of pg_net). */
const RESTART_AFTER_MS = 1000;

interface Session {
  sql: postgres.Sql;
  /** Rejects when a connection is lost: postgres.js may leave a transaction pending for ever then. */
  lost: Promise<never>;
}

/** Starts a worker. A second after any error, it opens new connections. */
export function startDatabaseWorker(options: WorkerOptions, steps: WorkerSteps): DatabaseWorker {
  const stopping = new AbortController();
  let wakeUp = Promise.withResolvers<void>();
  const wake = () => wakeUp.resolve();

  let session: Session | undefined;
  const round = async () => {
    if (session === undefined) {
      session = openSession(options, wake);
      await Promise.race([steps.prepare?.(session.sql, session.lost), session.lost]);
    }
    return await Promise.race([steps.round(session.sql, stopping.signal), session.lost]);
  };
  const end = async () => {
    // Not at once: postgres.js leaves the socket open when it is ended while it connects.
    await session?.sql.end({ timeout: 1 });
    session = undefined;
  };
  const run = async () => {
    while (!stopping.signal.aborted) {
      wakeUp = Promise.withResolvers<void>();
      const waitMs = await round().catch(async () => {
        await end();
        // The loss of the session has woken the loop too.
        wakeUp = Promise.withResolvers<void>();
        return RESTART_AFTER_MS;
      });
      if (stopping.signal.aborted) break;
      const timer = setTimeout(wake, waitMs);
      await wakeUp.promise;
      clearTimeout(timer);
    }
    await end();
  };
  // The caller may name the worker in its steps: they begin when it has it.
  const done = Promise.resolve().then(run);
  return {
    wake,
    async stop() {
      stopping.abort();
      wake();
      await done;
    },
  };
}

function openSession(
  { databaseUrl, name, connections }: WorkerOptions,
  onLost: () => void,
): Session {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(onLost);
  const sql = postgres(databaseUrl, {
    max: connections,
    max_lifetime: null,
    onnotice: () => {},
    onclose: () => lost.reject(new Error("a connection to the database was lost")),
    connection: { application_name: name },
  });
  return { sql, lost: lost.promise };
}
