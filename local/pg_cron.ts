// Stands in for pg_cron's scheduler (cron.sql holds its tables and functions). As in pg_cron 1.6: it
// looks every second, in UTC; a job runs as the user who scheduled it, once at a time; a run that
// falls due while the job still runs follows right after; each run is noted in cron.job_run_details.
import postgres from "postgres";
import { dueRuns, startOfMinute } from "./cron_due.ts";
import { startDatabaseWorker } from "./database_worker.ts";

/** `cron.max_running_jobs` */
const MAX_RUNNING_JOBS = 32;
const LOOK_EVERY_MS = 1000;

interface Job {
  jobid: string;
  schedule: string;
  command: string;
  username: string;
}

/** The state of a job that the scheduler keeps between two looks. */
interface Task {
  pendingRuns: number;
  isRunning: boolean;
  lastStartAt: number;
}

/** Starts the scheduler on a database, as a superuser. `stop` ends the jobs that are running. */
export function startPgCron(databaseUrl: string): { stop(): Promise<void> } {
  const options = { databaseUrl, name: "pg_cron scheduler", connections: 2 };
  let launcher: Launcher | undefined;
  const worker = startDatabaseWorker(options, {
    prepare: async (sql, lost) => {
      await sql`
        update cron.job_run_details set status = 'failed', return_message = 'server restarted'
        where status in ('starting', 'running')`;
      launcher = new Launcher(sql, lost, databaseUrl, () => worker.wake());
    },
    round: async () => await launcher?.look() ?? 0,
  });
  return {
    async stop() {
      await launcher?.endJobs();
      await worker.stop();
    },
  };
}

/** Looks at the jobs and starts what is due. */
class Launcher {
  #tasks = new Map<string, Task>();
  #running = new Set<Promise<void>>();
  #lastMinute = startOfMinute(Date.now());

  #isEnding = false;

  /** Runs end with the session (`lost`); `onPending` is called when a job has ended that is to run again at once. */
  constructor(
    private readonly sql: postgres.Sql,
    private readonly lost: Promise<never>,
    private readonly databaseUrl: string,
    private readonly onPending: () => void,
  ) {}

  /** Returns the milliseconds until the next poll. */
  async look(): Promise<number> {
    const jobs = await this.sql<Job[]>`
      select jobid, schedule, command, username from cron.job where active`;
    const now = Date.now();
    const ids = new Set(jobs.map((job) => job.jobid));
    for (const id of this.#tasks.keys()) if (!ids.has(id)) this.#tasks.delete(id);

    for (const job of jobs) {
      const task = this.#tasks.get(job.jobid) ??
        { pendingRuns: 0, isRunning: false, lastStartAt: now };
      this.#tasks.set(job.jobid, task);
      const { lastStartAt, pendingRuns } = task;
      const looks = { lastMinute: this.#lastMinute, now, lastStartAt, pendingRuns };
      task.pendingRuns += dueRuns(job.schedule, looks);
      const mayRun = !this.#isEnding && !task.isRunning && this.#running.size < MAX_RUNNING_JOBS;
      if (task.pendingRuns > 0 && mayRun) this.#start(job, task, now);
    }
    this.#lastMinute = startOfMinute(now);
    return LOOK_EVERY_MS - Date.now() % LOOK_EVERY_MS;
  }

  async endJobs(): Promise<void> {
    this.#isEnding = true;
    await this.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'pg_cron' and datname = current_database()`.catch(() => {});
    await Promise.all(this.#running);
  }

  #start(job: Job, task: Task, now: number): void {
    task.pendingRuns -= 1;
    task.isRunning = true;
    task.lastStartAt = now;
    const noted = runJob(this.sql, this.databaseUrl, job);
    const run = Promise.race([noted, this.lost]).catch(() => {}).finally(() => {
      task.isRunning = false;
      this.#running.delete(run);
      if (task.pendingRuns > 0) this.onPending();
    });
    this.#running.add(run);
  }
}

/** Runs a job's command as the job's user, in a session of its own, and notes how it went. */
async function runJob(sql: postgres.Sql, databaseUrl: string, job: Job): Promise<void> {
  const [details] = await sql<{ runid: string }[]>`
    insert into cron.job_run_details (jobid, database, username, command, status)
    values (${job.jobid}, current_database(), ${job.username}, ${job.command}, 'starting')
    returning runid`;
  if (details === undefined) return;
  const session = postgres(databaseUrl, {
    max: 1,
    onnotice: () => {},
    connection: { application_name: "pg_cron" },
  });
  try {
    const [backend] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await session`set session authorization ${session(job.username)}`;
    await sql`
      update cron.job_run_details
      set status = 'running', job_pid = ${backend?.pid ?? null}, start_time = clock_timestamp()
      where runid = ${details.runid}`;
    const { status, message } = await execute(session, job.command);
    await sql`
      update cron.job_run_details
      set status = ${status}, return_message = ${message}, end_time = clock_timestamp()
      where runid = ${details.runid}`;
  } finally {
    await session.end({ timeout: 1 });
  }
}

async function execute(
  session: postgres.Sql,
  command: string,
): Promise<{ status: string; message: string }> {
  try {
    const result = await session.unsafe(command).simple();
    return { status: "succeeded", message: describeResult(result) };
  } catch (error) {
    return {
      status: "failed",
      message: `ERROR:  ${error instanceof Error ? error.message : error}`,
    };
  }
}

/** '1 row' for what returns rows, else the command tag, e.g. 'INSERT 0 1'. */
function describeResult(result: postgres.RowList<postgres.Row[]>): string {
  const last = (Array.isArray(result[0]) ? result.at(-1) : result) as postgres.RowList<
    postgres.Row[]
  >;
  const { command, count, columns } = last;
  if (columns !== undefined && columns !== null) return `${count} ${count === 1 ? "row" : "rows"}`;
  return command === "INSERT" ? `INSERT 0 ${count}` : `${command} ${count ?? ""}`.trim();
}
