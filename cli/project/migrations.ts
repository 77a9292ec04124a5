/** The names of migrations: which come after which, and the next stamps. */

import type { Files } from "./files.ts";

const FOLDER = "supabase/migrations/";
const MIGRATION = /^(\d+)_(.*)\.sql$/;

/** A file that the Supabase CLI takes for a migration. */
export interface Migration {
  readonly path: string;
  /** The file's name. */
  readonly name: string;
  /** The digits that it begins with: its key in the history. */
  readonly stamp: string;
  readonly text: string;
}

/** The project's migrations, in the order in which the CLI applies them: by the bytes of their names. */
export function migrationsOf(files: Files): Migration[] {
  return [...files].flatMap(([path, text]) => {
    const name = path.startsWith(FOLDER) ? path.slice(FOLDER.length) : "";
    const [, stamp] = MIGRATION.exec(name) ?? [];
    return stamp === undefined ? [] : [{ path, name, stamp, text }];
  }).sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Two migrations with one stamp, of which the CLI can record only one. */
export function doubledStamps(migrations: readonly Migration[]): Migration[] {
  return migrations.filter(({ stamp }, at) => migrations[at - 1]?.stamp === stamp);
}

/**
 * The next stamps, 14 digits each, one second apart: now in UTC, or after the last migration where that is later.
 * @returns null if the last migration's name sorts behind every stamp
 */
export function nextStamps(
  migrations: readonly Pick<Migration, "name" | "stamp">[],
  now: Date,
  count: number,
): string[] | null {
  const last = migrations.at(-1);
  let stamp: string | null = digitsOf(now);
  if (last && !sortsBehind(stamp, last)) stamp = after(last.stamp);
  const stamps: string[] = [];
  for (let at = 0; at < count; at++) {
    if (stamp === null || (last && !sortsBehind(stamp, last))) return null;
    stamps.push(stamp);
    stamp = after(stamp);
  }
  return stamps;
}

/** Names are compared by their bytes, and the history's keys as texts. */
function sortsBehind(stamp: string, last: Pick<Migration, "name" | "stamp">): boolean {
  return `${stamp}_` > last.name && stamp > last.stamp;
}

/** The stamp a second later; for digits that are no time, the next number of 14 digits behind them. */
function after(stamp: string): string | null {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(stamp) ?? [];
  if (year !== undefined) {
    const text = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
    const time = new Date(text);
    // A date such as February 31st would become another one.
    if (!Number.isNaN(time.getTime()) && digitsOf(time) === stamp) {
      const next = digitsOf(new Date(time.getTime() + 1000));
      return next.length === 14 ? next : null;
    }
  }
  const head = stamp.slice(0, 14);
  const next = String(BigInt(head) + 1n).padStart(head.length, "0");
  return next.length > head.length ? null : next.padEnd(14, "0");
}

function digitsOf(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, "").replace(/\D/g, "");
}
