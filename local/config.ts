// Reads what the stack needs of supabase/config.toml.
import { parse } from "@std/toml/parse";

/** The parts of the file that the stack uses. */
export interface Config {
  readonly db?: { readonly vault?: Readonly<Record<string, string>> };
  readonly functions?: Readonly<Record<string, { readonly verify_jwt?: boolean }>>;
}

/** The parsed config.toml; a missing file counts as an empty one. Throws a SyntaxError for what is no TOML. */
export async function readConfig(path: string): Promise<Config> {
  try {
    return parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}
