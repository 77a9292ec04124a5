/** Compares the release that a project's files lead to with the one in the database. Pure. */

import { compareVersions } from "../../supabase/functions/_shared/symphony/runtime/versions.ts";
import { type Check, failed, passed, PUSH } from "./check.ts";

/**
 * Compares the two.
 * @param files the release of the project's migrations
 * @param schema the database's `messenger_version()`
 */
export function checkHistory(files: string, schema: string): Check {
  const name = "project: database";
  const found = `migrations ${files}, database ${schema}`;
  const order = compareVersions(files, schema);
  if (order === 0) return passed(name, found);
  if (order > 0) {
    return failed(name, found, "Migrations of these files are not in the database.", PUSH);
  }
  return failed(
    name,
    found,
    `The database is of a later release: its migration is missing here. Get the file from where it was pushed. Where it is lost, run npx symphony-messenger@${schema} upgrade, and then npx supabase migration repair --status applied <stamp>, instead of a push.`,
  );
}
