/** The knowledge of a project's files: releases, functions, settings, and later changes of ours. Pure. */

import { valueAt } from "../project/config-entry.ts";
import { readConfig } from "../project/config.ts";
import { type Files, lineAt } from "../project/files.ts";
import {
  adviceOfLostMark,
  DOOR_NAMES,
  functionFile,
  isOurs,
  prefixOf,
} from "../project/functions.ts";
import { importedVersion } from "../project/import-maps.ts";
import { createsOurs, installedVersion } from "../project/installed.ts";
import { doubledStamps, migrationsOf } from "../project/migrations.ts";
import type { Release } from "../releases.ts";
import { planUpgrade } from "../upgrade/plan-upgrade.ts";
import { type Check, deploying, failed, passed } from "./check.ts";

const UPGRADE = "npx symphony-messenger upgrade";
const INIT = "npx symphony-messenger init";

/**
 * Judges the files of a project.
 * @param releases this package's, the first one first
 */
export function checkProject(files: Files, releases: readonly Release[], now: Date): Check[] {
  const prefix = prefixOf(files);
  if (prefix === null && importedVersion(files) === null) {
    return [passed("project", "its functions are not those that init writes")];
  }
  return [
    ...checkReleases(files, releases, now),
    ...checkFolders(files, prefix ?? ""),
    ...checkSettings(files, prefix ?? ""),
    ...checkMigrations(files),
  ];
}

function checkReleases(files: Files, releases: readonly Release[], now: Date): Check[] {
  const { from, to, changes, notes } = planUpgrade(files, { releases, now });
  const found = `migrations ${from ?? "none"}, import map ${importedVersion(files) ?? "none"}`;
  const own = changes.length === 0 && from !== null ? passed("project: release", found) : failed(
    "project: release",
    found,
    from === null ? "The migration of the bus is not there." : `This package is release ${to}.`,
    from === null ? INIT : UPGRADE,
  );
  const told = notes.map(({ path, problem, advice }) =>
    failed(`project: ${path}`, problem, advice)
  );
  return [own, ...told];
}

function checkFolders(files: Files, prefix: string): Check[] {
  return DOOR_NAMES.flatMap((door) => {
    const path = functionFile(`${prefix}${door}`, "index.ts");
    // A file that has lost its mark is among the notes.
    if (isOurs(files.get(path)) || adviceOfLostMark(files.get(path))) return [];
    const found = files.has(path) ? "another function" : "not there";
    return [failed(`project: ${path}`, found, "Let init write it.", INIT)];
  });
}

function checkSettings(files: Files, prefix: string): Check[] {
  const { config } = readConfig(files);
  if (!config) return [];
  return DOOR_NAMES.flatMap((door) => {
    const name = `${prefix}${door}`;
    if (valueAt(config.data, ["functions", name, "verify_jwt"]) === false) return [];
    return [failed(
      `project: functions.${name}.verify_jwt`,
      "not false",
      `Set verify_jwt = false under [functions.${name}] in ${config.path}, and deploy it: the function authenticates in code.`,
      deploying(name),
    )];
  });
}

const CHANGED =
  /\b(drop|alter)\s+(table|view|function|procedure|routine|sequence|schema|trigger|index)\s+(?:if\s+exists\s+)?((?:"?public"?\.)?"?messenger_\w+"?|"?messenger"?\."?\w+"?|"?messenger"?\b)/gi;
const UNSCHEDULED = /\bcron\s*\.\s*unschedule\s*\(\s*'(symphony-[\w-]+)'/gi;

function checkMigrations(files: Files): Check[] {
  const migrations = migrationsOf(files);
  const version = installedVersion(files);
  const doubled = doubledStamps(migrations).map(({ path, stamp }) =>
    failed(`project: ${path}`, `the stamp ${stamp} is there twice`, "Give it a stamp of its own.")
  );
  const first = migrations.findIndex(({ text }) => createsOurs(text));
  const later = version === null ? [] : migrations.slice(first + 1);
  const changed = later.filter(({ text }) => !createsOurs(text)).flatMap(({ path, text }) =>
    [...text.matchAll(CHANGED), ...text.matchAll(UNSCHEDULED)].map((match) =>
      failed(
        `project: ${path}:${lineAt(text, match.index)}`,
        match[0].replace(/\s+/g, " "),
        "It changes an object of the bus, which later releases build on. Take it back in a migration.",
      )
    )
  );
  return [...doubled, ...changed];
}
