/**
 * Writes the migration of a release from `supabase/schemas`, the engine's source:
 *
 *   deno task release <version>              the migration from the last published release to the source
 *   deno task release <version> --publish    the migration never changes again
 *
 * The first release is the source as a whole. A later one is a step: see release_step.ts. Until a release is
 * published, run this again after each change of the source: a test compares the two.
 */

import { nextStamps } from "../cli/project/migrations.ts";
import { sha256Of } from "../cli/releases.ts";
import { compareVersions } from "../supabase/functions/_shared/symphony/runtime/versions.ts";
import { withDatabases } from "./release_databases.ts";
import {
  migrationsIn,
  readPublished,
  readSchemas,
  type SchemaFile,
  SUPABASE,
  versionOf,
  writeVersion,
} from "./release_source.ts";
import { stepMigration } from "./release_step.ts";

const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;
const FIRST_STAMP = "20261123000000";

/** The first migration: every file of the source, in order. */
export function firstMigration(files: readonly SchemaFile[]): { name: string; text: string } {
  const version = versionOf(files);
  const head = `-- Symphony Messenger ${version}, written by \`deno task release ${version}\`.\n` +
    "-- The source is supabase/schemas: change it there, and run the task again.\n\n" +
    "-- If another session locks one of these tables, this migration fails soon. A migration that waits would\n" +
    "-- make all later sessions wait behind it.\n" +
    "set local lock_timeout = '5s';\n";
  const parts = files.map(({ name, text }) =>
    `\n-- ${"=".repeat(20)} ${name}\n\n${text.trimEnd()}\n`
  );
  return { name: `${FIRST_STAMP}_symphony_${version}.sql`, text: head + parts.join("") };
}

/** Why the only, unpublished migration is not the one that the source makes; null if it is. */
export async function findDifference(supabase = SUPABASE): Promise<string | null> {
  if (Object.keys(await readPublished(supabase)).length > 0) return null;
  const wanted = firstMigration(await readSchemas(supabase));
  const names = migrationsIn(supabase).map(({ name }) => name);
  if (names.length !== 1 || names[0] !== wanted.name) {
    return `supabase/migrations holds ${names.join(", ") || "nothing"}, and not ${wanted.name}`;
  }
  const text = await Deno.readTextFile(`${supabase}migrations/${wanted.name}`);
  return text === wanted.text ? null : `${wanted.name} differs from supabase/schemas`;
}

/**
 * Writes the version into the source and the library, and the migration.
 * @param databases gives two databases with the published migrations
 * @returns the name of the migration
 * @throws Error if the version is published, or earlier than a published one, or if the step does not lead to
 * the source
 */
export async function release(
  version: string,
  supabase = SUPABASE,
  databases = withDatabases,
): Promise<string> {
  if (!VERSION.test(version)) throw new Error(`version: has to be like 1.2.3 (was ${version})`);
  const published = Object.keys(await readPublished(supabase)).sort(compareVersions);
  const last = published.at(-1);
  if (last !== undefined && compareVersions(version, last) <= 0) {
    throw new Error(`version: has to come after ${last}, which is published (was ${version})`);
  }
  const former = versionOf(await readSchemas(supabase));
  if (former !== version) await writeVersion(version, supabase);
  try {
    return await write(version, last, supabase, databases);
  } catch (error) {
    await writeVersion(former, supabase);
    throw error;
  }
}

async function write(
  version: string,
  last: string | undefined,
  supabase: string,
  databases: typeof withDatabases,
): Promise<string> {
  const folder = `${supabase}migrations/`;
  const files = await readSchemas(supabase);
  const published = await readPublished(supabase);
  const [kept, unpublished] = partition(
    migrationsIn(supabase),
    ({ version }) => version in published,
  );
  let migration: { name: string; text: string };
  if (last === undefined) migration = firstMigration(files);
  else {
    const texts = await Promise.all(kept.map(({ name }) => Deno.readTextFile(folder + name)));
    const tables = await Deno.readTextFile(`${supabase}upgrades/${version}.sql`).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    });
    const text = await databases(
      texts,
      (both) => stepMigration({ from: last, to: version, tables, files }, both),
    );
    const stamp = unpublished[0]?.stamp ?? nextStamps(kept, new Date(), 1)?.[0];
    if (!stamp) {
      throw new Error(`supabase/migrations/${kept.at(-1)?.name}: no stamp comes after it`);
    }
    migration = { name: `${stamp}_symphony_${version}.sql`, text };
  }
  for (const { name } of unpublished) await Deno.remove(folder + name);
  await Deno.writeTextFile(folder + migration.name, migration.text);
  return migration.name;
}

function partition<Value>(values: readonly Value[], is: (value: Value) => boolean) {
  return [values.filter(is), values.filter((value) => !is(value))] as const;
}

/** Notes a release's migration as published. @throws Error if there is none, or it is noted already */
export async function publish(version: string, supabase = SUPABASE): Promise<void> {
  const published = await readPublished(supabase);
  if (version in published) throw new Error(`version: ${version} is published already`);
  const file = migrationsIn(supabase).find((one) => one.version === version);
  if (!file) throw new Error(`version: supabase/migrations has no ${version}; release it first`);
  const difference = await findDifference(supabase);
  if (difference !== null) throw new Error(`${difference}: run deno task release ${version}`);
  published[version] = sha256Of(await Deno.readTextFile(`${supabase}migrations/${file.name}`));
  await Deno.writeTextFile(`${supabase}releases.json`, `${JSON.stringify(published, null, 2)}\n`);
}

if (import.meta.main) {
  const [version, flag] = Deno.args;
  if (version === undefined || (flag !== undefined && flag !== "--publish")) {
    console.error("usage: deno task release <version> [--publish]");
    Deno.exit(1);
  }
  if (flag === "--publish") await publish(version);
  else console.log(`supabase/migrations/${await release(version)}`);
}
