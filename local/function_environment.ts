// The environment of a function's process: the variables of a hosted function, and an import map.
import { parseEnv } from "node:util";
import type { Keys } from "./keys.ts";

/** The values that the environment variables hold. */
export interface EnvironmentOptions {
  url: string;
  keys: Pick<Keys, "publishableKey" | "secretKey" | "jwks">;
  databaseUrl: string;
  /** The project's own variables (`supabase secrets set` on a hosted project). */
  extra: Record<string, string>;
}

/** All that Deno itself needs of this machine's environment, to find its cache. */
const OF_THIS_MACHINE = ["PATH", "HOME", "DENO_DIR", "TMPDIR", "NO_COLOR"];

/** The whole environment of a function: nothing else of this machine's reaches it. */
export function functionEnvironment(options: EnvironmentOptions): Record<string, string> {
  const { url, keys, databaseUrl, extra } = options;
  const env: Record<string, string> = {};
  for (const name of OF_THIS_MACHINE) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return {
    ...env,
    DENO_NO_UPDATE_CHECK: "1",
    SUPABASE_URL: url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
    SUPABASE_JWKS: JSON.stringify(keys.jwks),
    SUPABASE_DB_URL: databaseUrl,
    SB_REGION: "local",
    ...extra,
  };
}

/**
 * The project's own variables on this machine, as the Supabase CLI reads them from `supabase/functions/.env`; none if
 * there is no such file. Names that begin with SUPABASE_ are the platform's, and left out.
 */
export async function readOwnVariables(file: string): Promise<Record<string, string>> {
  const text = await Deno.readTextFile(file).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  });
  const own = Object.entries(parseEnv(text)).filter(([name]) => !name.startsWith("SUPABASE_"));
  return Object.fromEntries(own.map(([name, value]) => [name, value ?? ""]));
}

/** Where the import map comes from, and where it goes. */
export interface ImportMapOptions {
  projectDir: string;
  functionsDir: string;
  dataDir: string;
  /** The folder that takes the place of `_messages`. */
  messages: string | undefined;
}

/**
 * The path of the import map for the functions: the project's, or a copy of it that leads from
 * `_messages` to another folder.
 */
export async function writeImportMap(options: ImportMapOptions): Promise<string> {
  const original = `${options.projectDir}/import_map.json`;
  if (options.messages === undefined) return original;
  const map: { imports: Record<string, string> } = JSON.parse(await Deno.readTextFile(original));
  const folder = options.messages.startsWith("/")
    ? options.messages
    : `${Deno.cwd()}/${options.messages}`;
  map.imports[`file://${options.functionsDir}/_messages/`] = `file://${folder.replace(/\/$/, "")}/`;
  const path = `${options.dataDir}/import_map.json`;
  await Deno.writeTextFile(path, JSON.stringify(map, null, 2));
  return path;
}
