/** Compares a project's migrations with those that the database has: the release, and the history. Pure. */

import { compareVersions } from "../../supabase/functions/_shared/symphony/runtime/versions.ts";
import type { Migration } from "../project/migrations.ts";
import { type Check, failed, passed, PUSH } from "./check.ts";

/**
 * Compares the releases.
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
    `The database is of a later release: its migration is missing here. Get the file from where it was pushed. Where it is lost, run npx symphony-messenger@${schema} upgrade, and then npx supabase@3 migration repair --remote --status applied <stamp>, instead of a push.`,
  );
}

/**
 * Compares the files with the history: where they differ, the Supabase CLI refuses the next push.
 * @param migrations the project's, in order
 * @param applied stamps in the database, in order
 */
export function checkApplied(
  migrations: readonly Pick<Migration, "name" | "stamp">[],
  applied: readonly string[],
): Check {
  const name = "project: history";
  const own = new Set(migrations.map(({ stamp }) => stamp));
  const lost = applied.filter((stamp) => !own.has(stamp));
  if (lost.length > 0) {
    return failed(
      name,
      `applied, and not among the files: ${lost.join(", ")}`,
      `A push is refused. Get the files from where they were pushed, or with npx supabase@3 migration fetch --remote. Where they are not wanted any more, run npx supabase@3 migration repair --remote --status reverted ${
        lost.join(" ")
      }.`,
    );
  }
  const waiting = migrations.filter(({ stamp }) => !applied.includes(stamp));
  const last = applied.at(-1) ?? "";
  const early = waiting.filter(({ stamp }) => stamp < last);
  if (early.length > 0) {
    return failed(
      name,
      `not applied, and before ${last}, which is: ${early.map(({ name }) => name).join(", ")}`,
      "A push refuses them without --include-all.",
      `${PUSH} --include-all`,
    );
  }
  const count = `${applied.length} applied`;
  return passed(name, waiting.length === 0 ? count : `${count}, ${waiting.length} to push`);
}
