/** Plans what `upgrade` writes into a project. Pure: files go in, changes and notes come out. */

import { readConfig } from "../project/config.ts";
import type { Files } from "../project/files.ts";
import {
  adviceOfLostMark,
  DOOR_NAMES,
  functionFile,
  IMPORT_MAP,
  isEdited,
  isOurs,
  prefixOf,
} from "../project/functions.ts";
import { importedVersion, importMapNotes, withVersion } from "../project/import-maps.ts";
import { createsOurs, installedVersion } from "../project/installed.ts";
import { migrationsOf, nextStamps } from "../project/migrations.ts";
import { type Change, effective, type Note, type Plan, refusal, warning } from "../project/plan.ts";
import { behindAll } from "../project/plan-notes.ts";
import { planTree, treeFile } from "../project/schema-tree.ts";
import { compareVersions } from "../../supabase/functions/_shared/symphony/runtime/versions.ts";
import { type Release, sha256Of } from "../releases.ts";

/** The options of `upgrade`, besides the files. */
export interface UpgradeOptions {
  /** This package's releases, the first one first. */
  readonly releases: readonly Release[];
  readonly now: Date;
}

/** The plan, and from where to where it leads. */
export interface UpgradePlan extends Plan {
  /** The release of the project's migrations before; null where it has none. */
  readonly from: string | null;
  readonly to: string;
  readonly prefix: string;
}

const MIGRATIONS = "supabase/migrations";

/** Plans the migrations that are missing, and the one line of the import map. */
export function planUpgrade(files: Files, { releases, now }: UpgradeOptions): UpgradePlan {
  const from = installedVersion(files);
  const to = releases.at(-1)?.version ?? "";
  const prefix = prefixOf(files) ?? "";
  const { config, notes } = readConfig(files);
  const result = { from, to, prefix };
  const refused = versionNotes(files, from, to, releases);
  if (!config || from === null || refused.length > 0) {
    return { ...result, changes: [], notes: [...notes, ...refused] };
  }
  const pending = releases.filter(({ version }) => compareVersions(version, from) > 0);
  const stamps = nextStamps(migrationsOf(files), now, pending.length);
  if (stamps === null) {
    const last = migrationsOf(files).at(-1)?.path;
    return { ...result, changes: [], notes: [...notes, behindAll(last)] };
  }
  const map = planMap(files, to);
  const changes: Change[] = [
    ...pending.map(({ version, sql }, at) => ({
      path: `${MIGRATIONS}/${stamps[at]}_symphony_${version}.sql`,
      text: sql,
    })),
    ...map.changes,
    ...(treeFile(files, config) === null ? [] : planTree(files, config, releases, prefix)),
  ];
  return {
    ...result,
    changes: effective(changes, files),
    notes: [
      ...notes,
      ...map.notes,
      ...editedReleases(files, releases),
      ...functionNotes(files, prefix),
      ...mixedVersions(files, to),
      ...importMapNotes(files, config),
    ],
  };
}

function versionNotes(
  files: Files,
  from: string | null,
  to: string,
  releases: readonly Release[],
): Note[] {
  if (from === null) {
    const advice = "Run `npx symphony-messenger init` first.";
    return [refusal(MIGRATIONS, "no migration of Symphony Messenger is there", advice)];
  }
  const imported = importedVersion(files);
  const newest = imported !== null && compareVersions(imported, from) > 0 ? imported : from;
  const path = newest === from ? MIGRATIONS : IMPORT_MAP;
  if (compareVersions(newest, to) > 0) {
    return [refusal(
      path,
      `is of release ${newest}, and this package of ${to}; there is no way back to an older release`,
      `Run \`npx symphony-messenger@${newest} upgrade\`.`,
    )];
  }
  if (releases.some(({ version }) => version === from)) return [];
  return [refusal(
    MIGRATIONS,
    `is of release ${from}, which this package does not know`,
    `It knows ${releases.map(({ version }) => version).join(", ")}.`,
  )];
}

function planMap(files: Files, to: string): { changes: Change[]; notes: Note[] } {
  const text = files.get(IMPORT_MAP);
  if (text === undefined) {
    const advice = "Run `npx symphony-messenger init`, which writes it.";
    return { changes: [], notes: [refusal(IMPORT_MAP, "is not there", advice)] };
  }
  let next: string | null = null;
  try {
    next = importedVersion(files) === to ? text : withVersion(text, to);
  } catch {
    // It is no JSON.
  }
  if (next !== null) return { changes: [{ path: IMPORT_MAP, text: next }], notes: [] };
  const advice =
    `Set symphony-messenger to npm:symphony-messenger@${to} and symphony-messenger/ to ` +
    `npm:/symphony-messenger@${to}/ yourself.`;
  return { changes: [], notes: [refusal(IMPORT_MAP, "cannot be changed safely", advice)] };
}

/** A release's file says by its name which text it has to have. */
function editedReleases(files: Files, releases: readonly Release[]): Note[] {
  return migrationsOf(files).flatMap(({ path, name, text }) => {
    const [, version] = /^\d+_symphony_(\d[^/]*)\.sql$/.exec(name) ?? [];
    const release = releases.find((release) => release.version === version);
    if (!release || !createsOurs(text) || sha256Of(text) === release.sha256) return [];
    return [warning(
      path,
      `differs from release ${version}`,
      "Put changes of your own into migrations of their own. A later release may not apply over this one.",
    )];
  });
}

function functionNotes(files: Files, prefix: string): Note[] {
  return DOOR_NAMES.flatMap((door) => {
    const path = functionFile(prefix + door, "index.ts");
    const text = files.get(path);
    if (!isOurs(text)) {
      const advice = adviceOfLostMark(text) ??
        "Run `npx symphony-messenger init`, which writes what is missing.";
      return [warning(path, "is not there, or is yours", advice)];
    }
    if (!isEdited(door, text ?? "")) return [];
    return [warning(path, "was edited, and stays as it is", "See whether it suits the release.")];
  });
}

/** Imports of a version of their own, which would load the library twice. */
function mixedVersions(files: Files, to: string): Note[] {
  const notes: Note[] = [];
  for (const [path, text] of files) {
    if (path === IMPORT_MAP || !path.startsWith("supabase/functions/")) continue;
    const [, version] = /npm:\/?symphony-messenger@([^"'/\s]+)/.exec(text) ?? [];
    if (version === undefined || version === to) continue;
    const advice = "Import it as symphony-messenger, through the shared import map.";
    notes.push(warning(path, `names version ${version}, and the import map ${to}`, advice));
  }
  return notes;
}
