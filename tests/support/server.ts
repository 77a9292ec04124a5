/** The Postgres server of one test run, with a migrated database that tests copy. */

import postgres from "postgres";
import { bootstrap } from "../../local/bootstrap.ts";
import { migrate } from "../../local/migrate.ts";
import { startPostgres, SUPERUSER } from "../../local/postgres.ts";
import { serverCpu } from "../../bench/harness/cpu.ts";
import { embeddedBinDir } from "../../local/postgres_binaries.ts";

/** Name of the migrated database that tests copy. */
export const TEMPLATE = "symphony_template";

const PASSWORD = "tests";

/** A running server that belongs to this test run. */
export interface TestServer {
  /** URL of a superuser, on the database `postgres`. */
  readonly url: string;
  /** CPU time of all of its processes so far, in seconds. */
  cpuS(): number;
  stop(): Promise<void>;
}

/**
 * Starts a server in a temporary folder and makes the template.
 * @param binDir the folder of its programs; npm's by default
 */
export async function startTestServer(binDir?: string): Promise<TestServer> {
  const folder = await Deno.makeTempDir({ prefix: "symphony-tests-" });
  const server = await startPostgres({
    dataDir: `${folder}/postgres`,
    binDir: binDir ?? await embeddedBinDir(),
    password: PASSWORD,
    durable: false,
    settings: { max_connections: "200" },
  });
  const stop = async () => {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  };
  const urlOf = (user: string, database: string) =>
    `postgresql://${user}:${PASSWORD}@127.0.0.1:${server.port}/${database}`;
  try {
    const admin = postgres(urlOf(SUPERUSER, "postgres"), { max: 1 });
    await admin.unsafe(`create database ${TEMPLATE}`);
    await admin.end();
    const url = urlOf(SUPERUSER, TEMPLATE);
    await bootstrap({ url, password: PASSWORD, realCron: false });
    await migrate({
      projectDir: new URL("../..", import.meta.url).pathname,
      url: urlOf("postgres", TEMPLATE),
      env: { SYMPHONY_URL: "http://127.0.0.1:9", SYMPHONY_SECRET_KEY: "sb_secret_tests" },
      by: "cli",
    });
    await forgetSetup(url);
    const cpuS = () => serverCpu(server.pid).postgres / 1_000;
    return { url: urlOf(SUPERUSER, "postgres"), cpuS, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Most tests run no cron jobs. Without the time of the setup, no health check of a copy expects that they ran. */
async function forgetSetup(url: string): Promise<void> {
  const sql = postgres(url, { max: 1 });
  await sql`delete from messenger.jobs_set_up`;
  await sql.end();
}
