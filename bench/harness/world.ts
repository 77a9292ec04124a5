/** The machine's one Postgres with all systems on it, and this project's stack around ours. */

import { cpus } from "node:os";
import postgres from "postgres";
import { startPostgres, SUPERUSER } from "../../local/postgres.ts";
import { embeddedBinDir } from "../../local/postgres_binaries.ts";
import { fileExists } from "../../local/process.ts";
import { type Stack, startStack } from "../../local/stack.ts";
import type { Options } from "../options.ts";
import type { Machine } from "../report/result.ts";
import { type Collector, openCollector } from "./collector.ts";
import { type ServerCpu, serverCpu } from "./cpu.ts";
import { floorSystem, ourSystem, peerSystem, type SubjectName, type System } from "./systems.ts";

/** The surroundings of workloads. */
export interface World extends AsyncDisposable {
  readonly options: Options;
  readonly machine: Machine;
  readonly stack: Stack;
  readonly systems: Readonly<Record<SubjectName, System>>;
  /** A database of the server, by its name. */
  readonly urlOf: (database: string) => string;
  /** Hears the probes of the functions. */
  readonly collector: Collector;
  /** CPU time of Postgres and PostgREST so far. */
  cpu(): ServerCpu;
}

const PASSWORD = "bench";

/** Starts everything and resolves when it serves. @throws StackError where a part does not start */
export async function openWorld(options: Options): Promise<World> {
  const parts = new AsyncDisposableStack();
  try {
    const folder = await Deno.makeTempDir({ prefix: "symphony-bench-" });
    parts.defer(() => Deno.remove(folder, { recursive: true }));
    const { binDir, from } = await findPostgres();
    const server = await startPostgres({
      dataDir: `${folder}/postgres`,
      binDir,
      password: PASSWORD,
      durable: true,
      settings: { max_connections: "250" },
    });
    parts.defer(() => server.stop());
    const urlOf = (database: string) =>
      `postgresql://${SUPERUSER}:${PASSWORD}@127.0.0.1:${server.port}/${database}`;
    const version = await createDatabases(urlOf("postgres"), [
      "ours",
      "graphile",
      "pgboss",
      "floor",
      "dbos",
    ]);

    const collector = openCollector();
    parts.use(collector);
    const stack = await startStack({
      postgres: { url: urlOf("ours") },
      dataDir: `${folder}/stack`,
      migrate: "sql",
      messages: new URL("../messages", import.meta.url).pathname,
      cron: false,
      net: false,
      env: { BENCH_COLLECTOR_URL: collector.url, SYMPHONY_LOG_LEVEL: "error" },
      log: (line) => console.error(line),
    });
    parts.use(stack);
    const systems = {
      "ours": ourSystem(stack),
      "graphile-worker": await peerSystem("graphile-worker", urlOf("graphile")),
      "pg-boss": await peerSystem("pg-boss", urlOf("pgboss")),
      "floor": await floorSystem(urlOf("floor")),
    };
    for (const { sql } of Object.values(systems)) parts.defer(() => sql.end({ timeout: 5 }));
    return {
      options,
      machine: describeMachine(version, from),
      stack,
      systems,
      urlOf,
      collector,
      cpu: () => serverCpu(server.pid),
      [Symbol.asyncDispose]: () => parts.disposeAsync(),
    };
  } catch (error) {
    await parts.disposeAsync();
    throw error;
  }
}

/** Debian's Postgres, the newest there is; the one from npm where there is none. */
async function findPostgres(): Promise<{ binDir: string; from: string }> {
  for (let major = 19; major >= 15; major--) {
    const binDir = `/usr/lib/postgresql/${major}/bin`;
    if (fileExists(`${binDir}/postgres`)) return { binDir, from: "Debian" };
  }
  return { binDir: await embeddedBinDir(), from: "npm (Debian's is not installed)" };
}

/** Answers the server's version. */
async function createDatabases(url: string, names: readonly string[]): Promise<string> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    for (const name of names) await sql.unsafe(`create database ${name}`);
    const [row] = await sql<{ version: string; fsync: string; synchronous_commit: string }[]>`
      select current_setting('server_version') as version, current_setting('fsync') as fsync,
        current_setting('synchronous_commit') as synchronous_commit`;
    if (row?.fsync !== "on" || row.synchronous_commit !== "on") {
      throw new Error("fsync and synchronous_commit have to be on");
    }
    return row.version;
  } finally {
    await sql.end();
  }
}

function describeMachine(version: string, from: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    postgres: version.split(" ")[0] ?? version,
    postgresFrom: from,
    deno: Deno.version.deno,
  };
}
