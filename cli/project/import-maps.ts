/** The import maps of a project's functions: the one that ours share, and those that break a deploy. */

import { type Config } from "./config.ts";
import { valueAt } from "./config-entry.ts";
import { addToJson, JsonTextError, parseJsonc, setInJson } from "./config-json.ts";
import type { Files } from "./files.ts";
import { IMPORT_MAP } from "./functions.ts";
import { type Change, type Note, refusal, warning } from "./plan.ts";

/** The package's name in imports. */
const PACKAGE = "symphony-messenger";
/** The release of zod that new projects get: exact, since a range would float at each deploy. */
export const ZOD = "npm:zod@4.6.7";

/** The end of an entry with an exact version; a tag or a range names none. */
const EXACT = /@(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/;

/** From npm, JSR, or a site such as esm.sh and deno.land. */
const OLD_ZOD = /^(?:npm:\/?|jsr:\/?@zod\/|https?:\/\/\S*\/)zod@[\^~v=]?[0-3]\b/;

/** The shared import map of a version, for a project without one. */
export function importMapText(version: string): string {
  const imports = { ...ourImports(version), zod: ZOD };
  return `${JSON.stringify({ imports }, null, 2)}\n`;
}

/** The bare entry and the one for subpaths, which a bare entry alone does not lead to. */
function ourImports(version: string): Record<string, string> {
  return {
    [PACKAGE]: `npm:${PACKAGE}@${version}`,
    [`${PACKAGE}/`]: `npm:/${PACKAGE}@${version}/`,
  };
}

/** The version that the shared import map names; null where it names none. */
export function importedVersion(files: Files): string | null {
  const text = files.get(IMPORT_MAP);
  if (text === undefined) return null;
  try {
    const found = valueAt(parseJsonc(text), ["imports", PACKAGE]);
    return EXACT.exec(String(found))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Writes the shared import map, or adds the entries that it lacks. */
export function planImportMap(
  files: Files,
  version: string,
): { changes: Change[]; notes: Note[] } {
  const text = files.get(IMPORT_MAP);
  if (text === undefined) {
    return { changes: [{ path: IMPORT_MAP, text: importMapText(version) }], notes: [] };
  }
  try {
    const map = parseJsonc(text);
    const zod = valueAt(map, ["imports", "zod"]);
    if (isOldZod(zod)) {
      const problem = `zod is ${zod}; Symphony Messenger needs zod 4`;
      return { changes: [], notes: [refusal(IMPORT_MAP, problem, `Change it to ${ZOD}.`)] };
    }
    const wanted = { ...ourImports(version), zod: ZOD };
    const entries = Object.entries(wanted).map(([name, value]) => ({
      path: ["imports", name],
      value,
    }));
    const added = addToJson(text, entries);
    if (added !== null) return { changes: [{ path: IMPORT_MAP, text: added }], notes: [] };
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    const note = refusal(IMPORT_MAP, `cannot be read: ${error.message}`, "Correct it first.");
    return { changes: [], notes: [{ ...note, line: error.line }] };
  }
  const advice = `Insert them yourself:\n${importMapText(version)}`;
  return { changes: [], notes: [refusal(IMPORT_MAP, "the imports cannot be inserted", advice)] };
}

/** The shared import map with another version of ours; null if that cannot be done safely. */
export function withVersion(text: string, version: string): string | null {
  return Object.entries(ourImports(version)).reduce<string | null>(
    (rest, [name, value]) => rest && setInJson(rest, ["imports", name], value),
    text,
  );
}

function isOldZod(value: unknown): boolean {
  return typeof value === "string" && OLD_ZOD.test(value);
}

/** Warnings of import maps and lock files that would break a deploy, ours or not. */
export function importMapNotes(files: Files, { data, path: configPath }: Config): Note[] {
  const notes: Note[] = [];
  for (const [path, text] of files) {
    const [, name] = /^supabase\/functions\/([^/_][^/]*)\/import_map\.json$/.exec(path) ?? [];
    const hasDenoJson = ["deno.json", "deno.jsonc"]
      .some((file) => files.has(`supabase/functions/${name}/${file}`));
    if (
      name !== undefined && !hasDenoJson &&
      typeof valueAt(data, ["functions", name, "import_map"]) !== "string"
    ) {
      notes.push(warning(
        path,
        "is not named in the config, which is an error for the deploy of all functions",
        `Rename it to deno.json, or set functions.${name}.import_map = "./functions/${name}/import_map.json" in ${configPath}.`,
      ));
    }
    if (/(^|\/)deno\.lock$/.test(path) && /"version"\s*:\s*"?5"?/.test(text)) {
      notes.push(warning(
        path,
        "is a lock file of version 5, which Deno 2.1.4 of the hosted functions cannot read",
        'Remove it, or keep it out of the folders of functions: set "lock": false in their deno.json.',
      ));
    }
    if (/^supabase\/functions\/.*(deno\.jsonc?|import_map\.json)$/.test(path)) {
      notes.push(...oldZod(path, text));
    }
  }
  return notes;
}

function oldZod(path: string, text: string): Note[] {
  if (path === IMPORT_MAP) return [];
  try {
    const zod = valueAt(parseJsonc(text), ["imports", "zod"]);
    if (!isOldZod(zod)) return [];
    return [warning(
      path,
      `zod is ${zod}: schemas made there cannot define messages, which need zod 4`,
      "Define messages in _messages/, whose import map has zod 4, or update it here.",
    )];
  } catch {
    return [];
  }
}
