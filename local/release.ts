/**
 * Writes the migration of a release from `supabase/schemas`, the engine's source:
 *
 *   deno task release <version>
 *
 * The first release is the source as a whole. Until it is published, run this again after each change of
 * the source: a test compares the two.
 */

const SUPABASE = new URL("../supabase/", import.meta.url).pathname;
const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;
const FIRST_STAMP = "20261123000000";

/** The file that holds the version, and the version in it. */
const VERSION_FILE = /_version\.sql$/;
const VERSION_LITERAL = /select '([^']+)'::text/;

/** A file of the source. */
export interface SchemaFile {
  readonly name: string;
  readonly text: string;
}

/** The source, in the order in which it is applied: that of its names. */
export async function readSchemas(supabase = SUPABASE): Promise<SchemaFile[]> {
  const names = Array.from(Deno.readDirSync(`${supabase}schemas`), ({ name }) => name)
    .filter((name) => name.endsWith(".sql")).sort();
  return await Promise.all(names.map(async (name) => ({
    name,
    text: await Deno.readTextFile(`${supabase}schemas/${name}`),
  })));
}

/** The version that the source says it is. @throws Error if it says none */
export function versionOf(files: readonly SchemaFile[]): string {
  const file = files.find(({ name }) => VERSION_FILE.test(name));
  const [, version] = VERSION_LITERAL.exec(file?.text ?? "") ?? [];
  if (version === undefined) {
    throw new Error("supabase/schemas: no file ..._version.sql says the version");
  }
  return version;
}

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

/** Why the migration is not the one that the source makes; null if it is. */
export async function findDifference(supabase = SUPABASE): Promise<string | null> {
  const wanted = firstMigration(await readSchemas(supabase));
  const names = migrationsIn(supabase);
  if (names.length !== 1 || names[0] !== wanted.name) {
    return `supabase/migrations holds ${names.join(", ") || "nothing"}, and not ${wanted.name}`;
  }
  const text = await Deno.readTextFile(`${supabase}migrations/${wanted.name}`);
  return text === wanted.text ? null : `${wanted.name} differs from supabase/schemas`;
}

function migrationsIn(supabase: string): string[] {
  return Array.from(Deno.readDirSync(`${supabase}migrations`), ({ name }) => name).sort();
}

/** Writes the version into the source, and the migration. @throws Error if a release came before */
async function release(version: string, supabase = SUPABASE): Promise<string> {
  if (!VERSION.test(version)) throw new Error(`version: has to be like 1.2.3 (was ${version})`);
  const files = await readSchemas(supabase);
  const before = versionOf(files);
  const file = files.find(({ name }) => VERSION_FILE.test(name));
  if (file && before !== version) {
    const text = file.text.replace(VERSION_LITERAL, `select '${version}'::text`);
    await Deno.writeTextFile(`${supabase}schemas/${file.name}`, text);
  }
  const migration = firstMigration(await readSchemas(supabase));
  for (const name of migrationsIn(supabase)) {
    if (!name.startsWith(`${FIRST_STAMP}_symphony_`)) {
      throw new Error(
        `supabase/migrations/${name}: a migration between two releases is not written by this task yet`,
      );
    }
    if (name !== migration.name) await Deno.remove(`${supabase}migrations/${name}`);
  }
  await Deno.writeTextFile(`${supabase}migrations/${migration.name}`, migration.text);
  return migration.name;
}

if (import.meta.main) {
  const [version] = Deno.args;
  if (version === undefined) {
    console.error("usage: deno task release <version>");
    Deno.exit(1);
  }
  console.log(`supabase/migrations/${await release(version)}`);
}
