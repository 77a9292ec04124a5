/** The project's declarative schema: a folder that `db schema declarative sync` compares the database with. */

import type { Release } from "../releases.ts";
import type { Config } from "./config.ts";
import { valueAt } from "./config-entry.ts";
import type { Files } from "./files.ts";
import type { Change } from "./plan.ts";

/** Our file in the folder. */
const FILE = "symphony.sql";

/** The folder; null where the project has none, and the migrations are all that counts. */
export function schemaTree(files: Files, { data }: Config): string | null {
  const configured = valueAt(data, ["experimental", "pgdelta", "declarative_schema_path"]);
  const path = typeof configured === "string" ? configured : "./schemas";
  const folder = `supabase/${path.replace(/^\.\//, "").replace(/\/+$/, "")}`;
  const isUsed = [...files.keys()].some((file) =>
    file.startsWith(`${folder}/`) && file.endsWith(".sql")
  );
  return isUsed ? folder : null;
}

/** Our file of the tree: a sync would drop what is not in it. */
export function planTree(
  files: Files,
  config: Config,
  releases: readonly Release[],
  prefix: string,
): Change[] {
  const folder = schemaTree(files, config);
  if (folder === null) return [];
  const head =
    "-- Symphony Messenger, as its migrations leave it. `symphony-messenger upgrade` writes this file.\n";
  const parts = releases.map(({ version, sql }) => `\n-- Release ${version}\n${sql.trimEnd()}\n`);
  const names = prefix === "" ? "" : `\n${prefixSql(prefix)}`;
  return [{ path: `${folder}/${FILE}`, text: head + parts.join("") + names }];
}

/** Our file of the tree, if it is there. */
export function treeFile(files: Files, config: Config): string | null {
  const folder = schemaTree(files, config);
  return folder !== null && files.has(`${folder}/${FILE}`) ? `${folder}/${FILE}` : null;
}

/** The SQL that tells the database what the functions' names begin with. */
export function prefixSql(prefix: string): string {
  return `-- The functions of this project are called ${prefix}dispatch, ${prefix}tick and ${prefix}messenger.
create or replace function messenger.function_prefix() returns text
language sql immutable parallel safe
set search_path = ''
as $$ select '${prefix}'::text $$;
`;
}
