// Reads what the stack needs of supabase/config.toml: tables of strings and booleans.

/** One table of the file, e.g. `functions.tick`, by key. */
export type ConfigTable = ReadonlyMap<string, string | boolean>;

/**
 * The tables of a config.toml by name. Values other than strings and booleans are left out, because
 * the stack uses none of them. A missing file counts as an empty one.
 */
export async function readConfig(path: string): Promise<ReadonlyMap<string, ConfigTable>> {
  const tables = new Map<string, Map<string, string | boolean>>();
  let table = new Map<string, string | boolean>();
  for (const line of (await readText(path)).split("\n")) {
    const header = /^\s*\[([^[\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) {
      table = new Map();
      tables.set(header.trim(), table);
    }
    const entry = /^\s*"?([\w-]+)"?\s*=\s*(?:"([^"]*)"|(true|false))\s*(?:#.*)?$/.exec(line);
    if (entry?.[1] !== undefined) table.set(entry[1], entry[2] ?? entry[3] === "true");
  }
  return tables;
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
