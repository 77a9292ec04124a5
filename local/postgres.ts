// Runs a Postgres server of the stack's own: makes the cluster once, starts it on a free loopback
// port, the last one where possible, restarts it on demand and ends it with the stack.
import { fileExists, freePort, type OwnedProcess, sendSignal, startProcess } from "./process.ts";
import { postgresUser, runAs, type UnixUser } from "./postgres_user.ts";
import { StackError } from "./errors.ts";

/** The superuser of a cluster, as on hosted Supabase; `postgres` is not one there either. */
export const SUPERUSER = "supabase_admin";

/** How to run the server. */
export interface PostgresOptions {
  /** The folder of the cluster; made when missing, kept between runs. */
  dataDir: string;
  /** The folder with `postgres` and `initdb`. */
  binDir: string;
  /** Password of the superuser, set when the cluster is made. */
  password: string;
  /** False trades safety against a crash of the machine (not one of Postgres) for speed. */
  durable: boolean;
  /** More settings, by name. */
  settings?: Record<string, string>;
}

/** A running server. */
export interface PostgresServer {
  readonly port: number;
  /** The server's process id; another one after a restart. */
  readonly pid: number;
  /** Stops and starts the server on the same port: 'fast' in order, 'immediate' like a crash. */
  restart(mode?: "fast" | "immediate"): Promise<void>;
  /** Ends the server; its data stays. */
  stop(): Promise<void>;
}

/**
 * Starts the server and resolves when it accepts connections.
 * Throws a StackError with the end of the log when the cluster cannot be made or started.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const user = postgresUser(options.dataDir);
  await endLeftover(options.dataDir);
  if (!fileExists(options.dataDir)) await makeCluster(options, user);

  const port = freePort(await readPort(options.dataDir));
  let server = await launch(options, user, port);
  await Deno.writeTextFile(portFile(options.dataDir), String(port));
  const stop = async (signal: "SIGINT" | "SIGQUIT") => {
    await server.stop(signal, 20_000);
  };
  return {
    port,
    get pid() {
      return server.pid;
    },
    async restart(mode = "fast") {
      await stop(mode === "fast" ? "SIGINT" : "SIGQUIT");
      server = await launch(options, user, port);
    },
    stop: () => stop("SIGINT"),
  };
}

async function makeCluster(options: PostgresOptions, user: UnixUser | undefined): Promise<void> {
  const unfinished = `${options.dataDir}.new`;
  await Deno.remove(unfinished, { recursive: true }).catch(ignoreMissing);
  await Deno.mkdir(`${unfinished}/data`, { recursive: true });
  const passwordFile = `${unfinished}/password`;
  await Deno.writeTextFile(passwordFile, options.password, { mode: 0o600 });
  if (user) {
    for (const path of [unfinished, `${unfinished}/data`, passwordFile]) {
      await Deno.chown(path, user.uid, user.gid);
    }
  }

  const lines: string[] = [];
  const initdb = startProcess(`${options.binDir}/initdb`, {
    args: [
      `--pgdata=${unfinished}/data`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C.UTF-8",
      // The system writes the new files within seconds anyway; waiting for it takes as long.
      "--no-sync",
    ],
    env: {},
    privileges: runAs(user, [options.binDir, unfinished]),
    onLine: (line) => lines.push(line),
  });
  const { success } = await initdb.exited;
  if (!success) {
    throw new StackError(`cannot make a Postgres cluster:\n${lines.slice(-10).join("\n")}`);
  }
  await Deno.rename(`${unfinished}/data`, options.dataDir);
  await Deno.remove(unfinished, { recursive: true });
}

async function launch(
  options: PostgresOptions,
  user: UnixUser | undefined,
  port: number,
): Promise<OwnedProcess> {
  const settings = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    // A client that connects and then says nothing holds up the end of the server so long.
    authentication_timeout: "10s",
    log_timezone: "UTC",
    timezone: "UTC",
    ...(options.durable ? {} : { fsync: "off", full_page_writes: "off" }),
    ...options.settings,
  };
  const log: string[] = [];
  const ready = Promise.withResolvers<boolean>();
  const server = startProcess(`${options.binDir}/postgres`, {
    args: [
      "-D",
      options.dataDir,
      ...Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`]),
    ],
    env: {},
    privileges: runAs(user, [options.binDir, options.dataDir]),
    deathSignal: "INT",
    onLine: (line) => {
      log.push(line);
      if (log.length > 20) log.shift();
      if (line.includes("database system is ready to accept connections")) ready.resolve(true);
    },
  });
  server.exited.then(() => ready.resolve(false));
  if (!await ready.promise) {
    throw new StackError(
      `Postgres does not start on ${options.dataDir} (its log ends with):\n${log.join("\n")}`,
    );
  }
  return server;
}

/** Beside the cluster, so that it outlives a reset: clients keep the URL that they know. */
function portFile(dataDir: string): string {
  return `${dataDir}.port`;
}

/** The port of the last run; undefined before the first. */
async function readPort(dataDir: string): Promise<number | undefined> {
  const text = await Deno.readTextFile(portFile(dataDir)).catch(ignoreMissing) ?? "";
  return /^[1-9]\d{3,4}$/.test(text) ? Number(text) : undefined;
}

/** Ends a server that a stack which was killed left behind; the caller holds the data folder's lock. */
async function endLeftover(dataDir: string): Promise<void> {
  const pidFile = `${dataDir}/postmaster.pid`;
  for (let waitedMs = 0; fileExists(pidFile); waitedMs += 50) {
    const pid = Number((await Deno.readTextFile(pidFile)).split("\n")[0]);
    const commandLine = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    if (!commandLine.includes(dataDir)) return;
    if (waitedMs === 0) sendSignal(pid, "SIGINT");
    if (waitedMs === 10_000) sendSignal(pid, "SIGQUIT");
    if (waitedMs > 20_000) {
      throw new StackError(`Postgres ${pid} on ${dataDir} does not end: kill it`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
