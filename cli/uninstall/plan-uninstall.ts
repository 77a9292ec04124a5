/** Plans what `uninstall` takes out of a project. Pure: files go in, changes and notes come out. */

import { entriesOf } from "../init/plan-init.ts";
import { MESSAGES_FILES } from "../init/templates.ts";
import { planRemoval, readConfig } from "../project/config.ts";
import type { Files } from "../project/files.ts";
import {
  DOOR_NAMES,
  functionFile,
  IMPORT_MAP,
  isEdited,
  isOurs,
  MESSAGES,
  prefixOf,
} from "../project/functions.ts";
import { importedVersion, importMapText } from "../project/import-maps.ts";
import { installedVersion } from "../project/installed.ts";
import { migrationsOf, nextStamps } from "../project/migrations.ts";
import { type Change, effective, type Note, type Plan, warning } from "../project/plan.ts";
import { behindAll } from "../project/plan-notes.ts";
import { treeFile } from "../project/schema-tree.ts";
import type { Release } from "../releases.ts";
import { removalSql } from "./removal-sql.ts";

/** The options of `uninstall`, besides the files. */
export interface UninstallOptions {
  readonly releases: readonly Release[];
  /** Whether the migration drops messages that still wait. */
  readonly force: boolean;
  readonly now: Date;
}

interface Part {
  readonly changes: readonly Change[];
  readonly notes: readonly Note[];
}

/** Plans one migration that removes, and the files and settings that go with it. */
export function planUninstall(files: Files, options: UninstallOptions): Plan {
  const { config, notes } = readConfig(files);
  if (!config) return { changes: [], notes };
  const prefix = prefixOf(files) ?? "";
  const hasOurs = DOOR_NAMES.some((door) =>
    isOurs(files.get(functionFile(prefix + door, "index.ts")))
  );
  const isInstalled = installedVersion(files) !== null;
  if (!hasOurs && !isInstalled) return { changes: [], notes };
  const tree = treeFile(files, config);
  const parts: Part[] = [
    isInstalled ? planMigration(files, options) : { changes: [], notes: [] },
    ...DOOR_NAMES.map((door) => planFolder(files, door, prefix)),
    planMessages(files),
    planRemoval(config, [
      // A function's own settings go with its folder.
      ...entriesOf(prefix).map(({ path }) => path[0] === "functions" ? path.slice(0, 2) : path),
    ]),
    { changes: tree === null ? [] : [{ path: tree, text: null }], notes: [] },
  ];
  return {
    changes: effective(parts.flatMap(({ changes }) => changes), files),
    notes: [...notes, ...parts.flatMap(({ notes }) => notes)],
  };
}

function planMigration(files: Files, { releases, force, now }: UninstallOptions): Part {
  const migrations = migrationsOf(files);
  const [stamp] = nextStamps(migrations, now, 1) ?? [];
  if (stamp === undefined) return { changes: [], notes: [behindAll(migrations.at(-1)?.path)] };
  const path = `supabase/migrations/${stamp}_symphony_uninstall.sql`;
  const ours = releases.map(({ sql }) => sql).join("\n");
  return { changes: [{ path, text: removalSql(ours, force) }], notes: [] };
}

function planFolder(files: Files, door: typeof DOOR_NAMES[number], prefix: string): Part {
  const name = prefix + door;
  const index = functionFile(name, "index.ts");
  const text = files.get(index);
  if (!isOurs(text)) return { changes: [], notes: [] };
  const ours = [index, functionFile(name, "deno.json")];
  const others = [...files.keys()].filter((path) =>
    path.startsWith(`supabase/functions/${name}/`) && !ours.includes(path)
  );
  const notes = others.map((path) =>
    warning(path, "is yours, and stays", "Remove it if it is not needed.")
  );
  if (isEdited(door, text ?? "")) {
    notes.push(warning(index, "was edited, and goes with the function", "git has the text."));
  }
  return {
    changes: ours.filter((path) => files.has(path)).map((path) => ({ path, text: null })),
    notes,
  };
}

/** Removes `_messages/` where it is as `init` wrote it. Code of the user's stays: no folder with `_` is a function. */
function planMessages(files: Files): Part {
  const templates = new Map(
    Object.entries(MESSAGES_FILES).map(([name, text]) => [`${MESSAGES}/${name}`, text]),
  );
  templates.set(IMPORT_MAP, importMapText(importedVersion(files) ?? ""));
  const present = [...files].filter(([path]) => path.startsWith(`${MESSAGES}/`));
  const yours = present.filter(([path, text]) => templates.get(path) !== text);
  if (yours.length === 0) {
    return { changes: present.map(([path]) => ({ path, text: null })), notes: [] };
  }
  const advice = "Remove it, or keep what other functions use of it.";
  return { changes: [], notes: [warning(MESSAGES, "holds code of yours, and stays", advice)] };
}
