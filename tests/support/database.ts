/** A database of a test's own, copied from the migrated template of the test run. */

import postgres from "postgres";
import { TEMPLATE } from "./server.ts";

/** A database that belongs to one test. */
export interface TestDatabase {
  /** URL of a superuser. */
  readonly url: string;
  /** Queries as the superuser. */
  readonly sql: postgres.Sql;
  /** Ends its connections and deletes it. */
  drop(): Promise<void>;
}

/** The URL of the test run's server. @throws Error if the tests were not started by the runner */
export function serverUrl(): string {
  const url = Deno.env.get("SYMPHONY_TEST_SERVER_URL");
  if (!url) throw new Error("start the tests with `npx -y deno@2 task test`");
  return url;
}

/** Makes a database with the project's migrations applied. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = postgres(serverUrl(), { max: 1 });
  await admin.unsafe(`create database ${name} template ${TEMPLATE}`);
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  // A template does not copy the settings of the database itself.
  await admin.unsafe(`alter database ${name} set search_path = "$user", public, extensions`);
  await admin.unsafe(`alter database ${name} set timezone = 'UTC'`);
  await admin.unsafe(`grant create on database ${name} to postgres`);
  const sql = postgres(url.href, { max: 4, onnotice: () => {} });
  // The jobs are the template's, and would run there.
  await sql`update cron.job set database = current_database() where true`;
  return {
    url: url.href,
    sql,
    drop: async () => {
      await sql.end();
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
