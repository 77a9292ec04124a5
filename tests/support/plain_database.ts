/** A database with Supabase's roles and extensions, and without this project's schema. */

import postgres from "postgres";
import { bootstrap } from "../../local/bootstrap.ts";
import { serverUrl, type TestDatabase } from "./database.ts";

/** A database that belongs to one test. */
export interface PlainDatabase extends TestDatabase {
  /** URL of the role `postgres`, who owns a project's objects and is no superuser. */
  readonly ownerUrl: string;
}

/** Makes a database as a new Supabase project has it. */
export async function createPlainDatabase(): Promise<PlainDatabase> {
  const name = `plain_${crypto.randomUUID().replaceAll("-", "")}`;
  const admin = postgres(serverUrl(), { max: 1 });
  await admin.unsafe(`create database ${name}`);
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  await bootstrap({ url: url.href, password: url.password, realCron: false });
  const owner = new URL(url);
  owner.username = "postgres";
  const sql = postgres(url.href, { max: 4, onnotice: () => {} });
  return {
    url: url.href,
    ownerUrl: owner.href,
    sql,
    drop: async () => {
      await sql.end();
      await admin.unsafe(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
