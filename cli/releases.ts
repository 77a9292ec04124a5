/** The releases that this package brings: the SQL of each, in order. */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** One release: a version and the migration that leads to it from the release before. */
export interface Release {
  /** Such as 0.1.0. */
  readonly version: string;
  readonly sql: string;
  /** SHA-256 of the SQL, in lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** The migrations beside the built code, and those of a checkout. */
const FOLDERS = ["./migrations/", "../migrations/", "../supabase/migrations/"];
const RELEASE_FILE = /^\d{14}_symphony_(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\.sql$/;

/**
 * Reads the releases, the first one first.
 * @throws Error if the package has none, which only a broken installation has
 */
export function releases(): Release[] {
  const folder = FOLDERS.map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url) && readdirSync(url).some((name) => RELEASE_FILE.test(name)));
  if (!folder) throw new Error("migrations: this package has none; install it again");
  return readdirSync(folder).sort().flatMap((name) => {
    const [, version] = RELEASE_FILE.exec(name) ?? [];
    if (version === undefined) return [];
    const sql = readFileSync(new URL(name, folder), "utf8");
    return [{ version, sql, sha256: sha256Of(sql) }];
  });
}

/** SHA-256 of a text; line ends count as one kind, since git changes them on some machines. */
export function sha256Of(text: string): string {
  return createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex");
}
