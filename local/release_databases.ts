/** Two databases of the published releases, on a server that is made for the purpose. */

import postgres from "postgres";
import { bootstrap } from "./bootstrap.ts";
import { startPostgres, SUPERUSER } from "./postgres.ts";
import { embeddedBinDir } from "./postgres_binaries.ts";
import type { StepDatabases } from "./release_step.ts";

const PASSWORD = "release";

/** Gives two databases to a function that have these migrations, and takes them away afterwards. */
export async function withDatabases<Result>(
  migrations: readonly string[],
  use: (databases: StepDatabases) => Promise<Result>,
): Promise<Result> {
  const folder = await Deno.makeTempDir({ prefix: "symphony-release-" });
  const server = await startPostgres({
    dataDir: `${folder}/postgres`,
    binDir: await embeddedBinDir(),
    password: PASSWORD,
    durable: false,
  });
  const urlOf = (name: string) =>
    `postgresql://${SUPERUSER}:${PASSWORD}@127.0.0.1:${server.port}/${name}`;
  const opened: postgres.Sql[] = [];
  const open = (name: string) => {
    const sql = postgres(urlOf(name), { max: 1, onnotice: () => {} });
    opened.push(sql);
    return sql;
  };
  try {
    const admin = open("postgres");
    const make = async (name: string) => {
      await admin.unsafe(`create database ${name}`);
      await bootstrap({ url: urlOf(name), password: PASSWORD, realCron: false });
      const sql = open(name);
      for (const text of migrations) {
        await sql.begin((transaction) =>
          transaction.unsafe(`set local role postgres; ${text}`).simple()
        );
      }
      return sql;
    };
    return await use({ before: await make("former"), after: await make("latter") });
  } finally {
    await Promise.all(opened.map((sql) => sql.end({ timeout: 5 })));
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
}
