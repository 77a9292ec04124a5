/** Which release a project's migrations lead to. */

import { compareVersions } from "../../supabase/functions/_shared/symphony/runtime/versions.ts";
import type { Files } from "./files.ts";
import { migrationsOf } from "./migrations.ts";

/**
 * The function that holds the version, as a release, a squash, a pull or a dump writes it: names may be quoted,
 * keywords in capitals, and the body between dollars or in doubled quotes.
 */
const VERSION =
  /create\s+(?:or\s+replace\s+)?function\s+(?:"?public"?\s*\.\s*)?"?messenger_version"?\s*\(\s*\)[^;]{0,600}?(?:select|return)\s+'{1,2}(\d+\.\d+\.\d+(?:-[0-9a-z.-]+)?)'{1,2}/gi;
const DROPPED =
  /drop\s+function\s+(?:if\s+exists\s+)?(?:"?public"?\s*\.\s*)?"?messenger_version"?/gi;

/** Whether a text creates our schema, or a part of it. */
export function createsOurs(text: string): boolean {
  return [...text.matchAll(VERSION)].length > 0;
}

/** The newest release in the project's migrations; null where there is none, or it was uninstalled since. */
export function installedVersion(files: Files): string | null {
  let newest: string | null = null;
  for (const { text } of migrationsOf(files)) {
    const found = [
      ...[...text.matchAll(VERSION)].map(({ index, 1: version }) => ({ index, version })),
      ...[...text.matchAll(DROPPED)].map(({ index }) => ({ index, version: undefined })),
    ].sort((a, b) => a.index - b.index);
    for (const { version } of found) {
      if (version === undefined) newest = null;
      else if (newest === null || compareVersions(version, newest) > 0) newest = version;
    }
  }
  return newest;
}
