/** A release after the present one, with a real change of the schema, in a folder of its own. */

import { sha256Of } from "../../cli/releases.ts";
import { createTestDatabase } from "./database.ts";
import { migrationsIn, readSchemas, SUPABASE, versionOf } from "../../local/release_source.ts";
import type { withDatabases } from "../../local/release_databases.ts";
import { release } from "../../local/release.ts";

/** The version of the test release: no project release comes this late. */
export const NEXT = "99.0.0";

/** The tables' part, as people write it. */
export const TABLES =
  `alter table public.messenger_messages add column origin text not null default 'unknown';
comment on column public.messenger_messages.origin is 'Where the message comes from.';
`;

/** A changed function, a new one with a new parameter, and a column, in the words of the source. */
const CHANGES: readonly [file: RegExp, from: string | RegExp, to: string][] = [
  [/^04_messages\.sql$/, /$/, `\n${TABLES}`],
  [
    /_tick_life\.sql$/,
    "budget_ms double precision default 0\n)",
    "budget_ms double precision default 0,\n  runs_on text default null\n)",
  ],
  [
    /_tick_life\.sql$/,
    "messenger_start_tick(bigint, boolean, text[], double precision) is",
    "messenger_start_tick(bigint, boolean, text[], double precision, text) is",
  ],
  [
    /_health\.sql$/,
    "'default_queue', exists",
    "'origins', (select count(distinct m.origin) from public.messenger_messages m),\n    'default_queue', exists",
  ],
];

/** A folder like `supabase/`, with the present release published. */
export interface ReleaseFolder {
  readonly path: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Copies the SQL and the version of the library, and notes the present release as published. */
export async function publishedFolder(): Promise<ReleaseFolder> {
  const path = `${await Deno.makeTempDir({ prefix: "symphony-release-" })}/`;
  const library = "functions/_shared/symphony/runtime/";
  for (const folder of ["schemas", "migrations", "upgrades", library]) {
    await Deno.mkdir(path + folder, { recursive: true });
  }
  for (const { name, text } of await readSchemas()) {
    await Deno.writeTextFile(`${path}schemas/${name}`, text);
  }
  const published: Record<string, string> = {};
  for (const { name, version } of migrationsIn()) {
    const text = await Deno.readTextFile(`${SUPABASE}migrations/${name}`);
    await Deno.writeTextFile(`${path}migrations/${name}`, text);
    published[version] = sha256Of(text);
  }
  await Deno.copyFile(`${SUPABASE}${library}version.ts`, `${path}${library}version.ts`);
  await Deno.writeTextFile(`${path}releases.json`, JSON.stringify(published));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Changes the source in a folder. @throws Error if a text is not there any more */
export async function changeSource({ path }: ReleaseFolder): Promise<void> {
  for (const { name } of await readSchemas(path)) {
    let text = await Deno.readTextFile(`${path}schemas/${name}`);
    for (const [file, from, to] of CHANGES) {
      if (!file.test(name)) continue;
      if (typeof from === "string" && !text.includes(from)) throw new Error(`${name}: no ${from}`);
      text = text.replace(from, () => to);
    }
    await Deno.writeTextFile(`${path}schemas/${name}`, text);
  }
}

/** Two databases of the test run's server. */
export const testDatabases: typeof withDatabases = async (_, use) => {
  const [before, after] = [await createTestDatabase(), await createTestDatabase()];
  try {
    return await use({ before: before.sql, after: after.sql });
  } finally {
    await before.drop();
    await after.drop();
  }
};

/** The migration from the present release to the test release. */
export async function nextMigration(): Promise<{ from: string; text: string }> {
  await using folder = await publishedFolder();
  const from = versionOf(await readSchemas(folder.path));
  await changeSource(folder);
  await Deno.writeTextFile(`${folder.path}upgrades/${NEXT}.sql`, TABLES);
  const name = await release(NEXT, folder.path, testDatabases);
  return { from, text: await Deno.readTextFile(`${folder.path}migrations/${name}`) };
}
