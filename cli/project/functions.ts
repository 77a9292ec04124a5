/** The three functions of a project: their names, their files, and how ours are known from others'. */

import type { Files } from "./files.ts";

/** The first line of each index.ts of ours. */
export const MARK = "// symphony-messenger";
/** The folder of the user's messages. */
export const MESSAGES = "supabase/functions/_messages";
/** The import map that the three functions share. */
export const IMPORT_MAP = `${MESSAGES}/import_map.json`;
/** Each function's deno.json. */
export const DENO_JSON = `{"importMap":"../_messages/import_map.json"}\n`;

/** The functions by their names without a prefix, with the door that each calls. */
export const DOORS = {
  dispatch: "createDispatch",
  tick: "createTick",
  messenger: "createManagement",
} as const;

/** A function's name without its prefix. */
export type Door = keyof typeof DOORS;

/** The names of the three. */
export const DOOR_NAMES = Object.keys(DOORS) as Door[];

/** The beginning of the functions' names: `bus` means `bus-`. Empty where there is no prefix. */
export function withDash(prefix: string): string {
  return prefix === "" || prefix.endsWith("-") ? prefix : `${prefix}-`;
}

/** Path of a file of a function. */
export function functionFile(name: string, file: "index.ts" | "deno.json"): string {
  return `supabase/functions/${name}/${file}`;
}

/** The text of a function's index.ts. */
export function indexText(door: Door): string {
  return `${MARK}
import { ${DOORS[door]} } from "symphony-messenger/edge";
import * as project from "../_messages/mod.ts";

export default ${DOORS[door]}(project);
`;
}

/** Whether an index.ts is one of ours, edited or not. */
export function isOurs(text: string | undefined): boolean {
  return text !== undefined && text.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0] === MARK;
}

/** Advice on an index.ts that calls our library and has lost the mark; undefined for every other one. */
export function adviceOfLostMark(text: string | undefined): string | undefined {
  if (isOurs(text) || !/from "symphony-messenger\/edge"/.test(text ?? "")) return undefined;
  return `If it is ours, put \`${MARK}\` back as its first line: by it our functions are known.`;
}

/** The prefix of our functions in a project; null if it has none of ours. */
export function prefixOf(files: Files): string | null {
  for (const [path, text] of files) {
    const [, name] = /^supabase\/functions\/([^/]+)\/index\.ts$/.exec(path) ?? [];
    if (name === undefined || !isOurs(text)) continue;
    const door = DOOR_NAMES.find((door) => text.includes(DOORS[door]));
    if (door && name.endsWith(door)) return name.slice(0, -door.length);
  }
  return null;
}

/** Lines beside the ones that `init` writes, which `upgrade` leaves alone. */
export function isEdited(door: Door, text: string): boolean {
  return text.replaceAll("\r\n", "\n").trim() !== indexText(door).trim();
}
