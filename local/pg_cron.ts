// Stands in for pg_cron's scheduler (cron.sql holds its tables and functions). As in pg_cron 1.6: it
// looks every second, in UTC; a job runs as the user who scheduled it, once at a time; a run that
// falls due while the job still runs follows right after; each run is noted in cron.job_run_details.
import postgres from "postgres";
import { getNextCronTime } from "../supabase/functions/_shared/symphony/scheduler/cron-parser.ts";
import { startWorkerLoop } from "./worker_loop.ts";

/** `cron.max_running_jobs` */
const MAX_RUNNING_JOBS = 32;
const LOOK_EVERY_MS = 1000;
const MINUTE_MS = 60_000;
/** Missed minutes are made up for only when they are few; a machine that slept starts afresh. */
const MAX_MISSED_MINUTES = 5;

interface Job {
  jobid: string;
  schedule: string;
  command: string;
  username: string;
}

/** What the scheduler remembers of a job between two looks. */
interface Task {
  pendingRuns: number;
  isRunning: boolean;
  lastStartAt: number;
}

/** Starts the scheduler on a database, as a superuser. `stop` ends the jobs that are running. */
export async function startPgCron(databaseUrl: string): Promise<{ stop(): Promise<void> }> {
  const sql = postgres(databaseUrl, {
    max: 2,
    onnotice: () => {},
    connection: { application_name: "pg_cron scheduler" },
  });
  await sql`
    update cron.job_run_details set status = 'failed', return_message = 'server restarted'
    where status in ('starting', 'running')`;

  const tasks = new Map<string, Task>();
  const running = new Set<Promise<void>>();
  let lastMinute = startOfMinute(Date.now());
  const loop = startWorkerLoop(async () => {
    const jobs = await sql<
      Job[]
    >`select jobid, schedule, command, username from cron.job where active`;
    const now = Date.now();
    const minute = startOfMinute(now);
    forget(tasks, jobs);
    for (const job of jobs) {
      const task = tasks.get(job.jobid) ??
        { pendingRuns: 0, isRunning: false, lastStartAt: startOfSecond(now) };
      tasks.set(job.jobid, task);
      task.pendingRuns += dueRuns(job, task, lastMinute, now);
      if (task.pendingRuns === 0 || task.isRunning || running.size >= MAX_RUNNING_JOBS) continue;

      task.pendingRuns -= 1;
      task.isRunning = true;
      task.lastStartAt = startOfSecond(now);
      const run = runJob(sql, databaseUrl, job).catch(() => {}).finally(() => {
        task.isRunning = false;
        running.delete(run);
        if (task.pendingRuns > 0) loop.wake();
      });
      running.add(run);
    }
    lastMinute = minute;
    return LOOK_EVERY_MS - Date.now() % LOOK_EVERY_MS;
  });
  return {
    async stop() {
      await loop.stop();
      await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'pg_cron' and datname = current_database()`.catch(() => {});
      await Promise.all(running);
      await sql.end({ timeout: 5 });
    },
  };
}

/** How many runs have fallen due since the last look. */
function dueRuns(job: Job, task: Task, lastMinute: number, now: number): number {
  const seconds = /^\s*(\d+)\s+seconds?\s*$/i.exec(job.schedule)?.[1];
  if (seconds !== undefined) {
    return task.pendingRuns === 0 && now - task.lastStartAt >= Number(seconds) * 1000 ? 1 : 0;
  }
  const minute = startOfMinute(now);
  const isCatchUp = minute - lastMinute <= MAX_MISSED_MINUTES * MINUTE_MS;
  let runs = 0;
  let after = isCatchUp ? lastMinute : minute - MINUTE_MS;
  for (; after < minute; runs++) {
    after = getNextCronTime(job.schedule, new Date(after)).getTime();
    if (after > minute) break;
  }
  return runs;
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
    await session.end({ timeout: 0 });
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

function forget(tasks: Map<string, Task>, jobs: Job[]): void {
  const ids = new Set(jobs.map((job) => job.jobid));
  for (const id of tasks.keys()) if (!ids.has(id)) tasks.delete(id);
}

function startOfSecond(time: number): number {
  return time - time % 1000;
}

function startOfMinute(time: number): number {
  return time - time % MINUTE_MS;
}
