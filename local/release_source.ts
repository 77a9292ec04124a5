/** The source of the SQL, `supabase/schemas`, its version, and the releases that are published. */

/** The folder of the project's SQL. */
export const SUPABASE = new URL("../supabase/", import.meta.url).pathname;

/** The file that holds the version, and the version in it. */
const VERSION_FILE = /_version\.sql$/;
const VERSION_LITERAL = /select '([^']+)'::text/;
const RELEASE_FILE = /^(\d{14})_symphony_(.+)\.sql$/;

/** The library's constants, which name the same version. */
const LIBRARY = "functions/_shared/symphony/runtime/version.ts";

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

/** Writes the version into the source and into the library. */
export async function writeVersion(version: string, supabase = SUPABASE): Promise<void> {
  const file = (await readSchemas(supabase)).find(({ name }) => VERSION_FILE.test(name));
  if (file) {
    const text = file.text.replace(VERSION_LITERAL, `select '${version}'::text`);
    await Deno.writeTextFile(`${supabase}schemas/${file.name}`, text);
  }
  const library = await Deno.readTextFile(supabase + LIBRARY);
  await Deno.writeTextFile(
    supabase + LIBRARY,
    library.replace(/(VERSION = )"[^"]+"/g, `$1"${version}"`),
  );
}

/** A migration in the folder. */
export interface ReleaseFile {
  readonly name: string;
  readonly stamp: string;
  readonly version: string;
}

/** The migrations, the first one first. @throws Error if one is not named as a release's */
export function migrationsIn(supabase = SUPABASE): ReleaseFile[] {
  return Array.from(Deno.readDirSync(`${supabase}migrations`), ({ name }) => name).sort()
    .map((name) => {
      const [, stamp, version] = RELEASE_FILE.exec(name) ?? [];
      if (stamp !== undefined && version !== undefined) return { name, stamp, version };
      throw new Error(
        `supabase/migrations/${name}: has to be named <stamp>_symphony_<version>.sql`,
      );
    });
}

/** SHA-256 of each published release's migration, by version. They never change again. */
export async function readPublished(supabase = SUPABASE): Promise<Record<string, string>> {
  return JSON.parse(await Deno.readTextFile(`${supabase}releases.json`));
}
