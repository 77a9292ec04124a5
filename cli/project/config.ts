/** The project's config file: config.json, config.jsonc or config.toml, whichever the Supabase CLI reads. */

import type { Entry } from "./config-entry.ts";
import { addToJson, jsonSnippet, parseJsonc, removeFromJson } from "./config-json.ts";
import { addToToml, parseToml, removeFromToml, tomlSnippet } from "./config-toml.ts";
import { CONFIG_FILES, type Files } from "./files.ts";
import { type Change, type Note, refusal, warning } from "./plan.ts";

/** The config file that counts, and what it says. */
export interface Config {
  readonly path: string;
  readonly text: string;
  readonly data: Record<string, unknown>;
}

/** The config file, or why it cannot be read. */
export function readConfig(files: Files): { config: Config | null; notes: Note[] } {
  const present = CONFIG_FILES.filter((path) => files.has(path));
  const [path, ...ignored] = present;
  if (path === undefined) {
    const advice = "Run `npx supabase@3 init` first.";
    return { config: null, notes: [refusal("supabase/config.toml", "is not there", advice)] };
  }
  const notes = ignored.map((other) =>
    isToml(other)
      ? warning(other, `is ignored: ${path} takes precedence`, "Remove one of the two.")
      : refusal(
        other,
        `is beside ${path}, and the Supabase CLI takes neither`,
        "Remove one of the two.",
      )
  );
  const text = files.get(path) ?? "";
  try {
    const data = isToml(path) ? parseToml(text) : parseJsonc(text);
    return { config: { path, text, data }, notes };
  } catch (error) {
    const { message, line } = error as Error & { line?: number };
    const [reason = ""] = message.split("\n");
    notes.push(refusal(path, `cannot be read: ${reason}`, "Correct it first.", line));
    return { config: null, notes };
  }
}

/** Puts in the entries that are missing; a refusal with the snippet where that is not safe. */
export function planEntries(
  { path, text }: Config,
  entries: readonly Entry[],
): { changes: Change[]; notes: Note[] } {
  const added = isToml(path) ? addToToml(text, entries) : addToJson(text, entries);
  if (added !== null) return { changes: [{ path, text: added }], notes: [] };
  const snippet = isToml(path) ? tomlSnippet(entries) : jsonSnippet(entries);
  const problem = "the settings cannot be inserted without changing others";
  const advice = `Insert them yourself, then run this command again:\n${snippet}`;
  return { changes: [], notes: [refusal(path, problem, advice)] };
}

/** Takes out what is at these paths; a refusal that names them where that is not safe. */
export function planRemoval(
  { path, text }: Config,
  paths: readonly (readonly string[])[],
): { changes: Change[]; notes: Note[] } {
  const rest = isToml(path) ? removeFromToml(text, paths) : removeFromJson(text, paths);
  if (rest !== null) return { changes: [{ path, text: rest }], notes: [] };
  const names = paths.map((names) => names.join(".")).join(", ");
  const problem = "our settings cannot be taken out without changing others";
  return {
    changes: [],
    notes: [refusal(path, problem, `Remove ${names} yourself, then run this command again.`)],
  };
}

function isToml(path: string): boolean {
  return path.endsWith(".toml");
}
