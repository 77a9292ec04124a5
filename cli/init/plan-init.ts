/** Plans what `init` writes into a project. Pure: files go in, changes and notes come out. */

import { type Config, planEntries, readConfig } from "../project/config.ts";
import { type Entry, valueAt } from "../project/config-entry.ts";
import type { Files } from "../project/files.ts";
import {
  adviceOfLostMark,
  DENO_JSON,
  DOOR_NAMES,
  functionFile,
  indexText,
  isOurs,
  MESSAGES,
  prefixOf,
  withDash,
} from "../project/functions.ts";
import { importedVersion, importMapNotes, planImportMap } from "../project/import-maps.ts";
import { installedVersion } from "../project/installed.ts";
import { doubledStamps, migrationsOf, nextStamps } from "../project/migrations.ts";
import { type Change, effective, type Note, type Plan, refusal, warning } from "../project/plan.ts";
import { behindAll } from "../project/plan-notes.ts";
import { planTree, prefixSql } from "../project/schema-tree.ts";
import { findClashes } from "../project/sql-names.ts";
import { compareVersions } from "../../supabase/functions/_shared/symphony/runtime/versions.ts";
import type { Release } from "../releases.ts";
import { MESSAGES_FILES } from "./templates.ts";

/** The options of `init`, besides the files. */
export interface InitOptions {
  /** This package's releases, the first one first. */
  readonly releases: readonly Release[];
  /** The beginning of the functions' names, such as `bus-`; undefined leaves it as it is. */
  readonly prefix?: string;
  readonly now: Date;
}

interface Part {
  readonly changes: readonly Change[];
  readonly notes: readonly Note[];
}

const PREFIX = /^[A-Za-z][A-Za-z0-9_-]{0,30}-$/;

/** Plans the files, in the order in which they are told. */
export function planInit(files: Files, options: InitOptions): Plan & { readonly prefix: string } {
  const { config, notes } = readConfig(files);
  const found = prefixOf(files);
  const given = options.prefix === undefined ? undefined : withDash(options.prefix);
  const prefix = given ?? found ?? "";
  if (!config) return { changes: [], notes, prefix };
  const parts: Part[] = [
    { changes: [], notes: [...notes, ...prefixNotes(given, found)] },
    ...planFunctions(files, config, prefix),
    planImportMap(files, importedVersion(files) ?? newestOf(options.releases)),
    planMessages(files),
    planMigrations(files, options, prefix, found),
    planEntries(config, entriesOf(prefix)),
    { changes: [], notes: importMapNotes(files, config) },
  ];
  if (installedVersion(files) === null) {
    parts.push({ changes: planTree(files, config, options.releases, prefix), notes: [] });
  }
  return {
    changes: effective(parts.flatMap(({ changes }) => changes), files),
    notes: parts.flatMap(({ notes }) => notes),
    prefix,
  };
}

/** The settings that `init` puts into the config file. */
export function entriesOf(prefix: string): Entry[] {
  return [
    ...DOOR_NAMES.map((door) => ({
      path: ["functions", prefix + door, "verify_jwt"],
      value: false,
    })),
    { path: ["db", "vault", "symphony_url"], value: "env(SYMPHONY_URL)" },
    { path: ["db", "vault", "symphony_secret_key"], value: "env(SYMPHONY_SECRET_KEY)" },
  ];
}

function prefixNotes(given: string | undefined, found: string | null): Note[] {
  if (given === undefined || given === "") return [];
  if (!PREFIX.test(given)) {
    const advice = "Use letters, digits, - and _, beginning with a letter: bus-";
    return [refusal("--prefix", `"${given}" cannot begin the name of a function`, advice)];
  }
  if (found === null || found === given) return [];
  return [refusal(
    "--prefix",
    `this project's functions are called ${found}tick and so on already`,
    "Leave --prefix out, or run `symphony-messenger uninstall` first.",
  )];
}

function planFunctions(files: Files, config: Config, prefix: string): Part[] {
  return DOOR_NAMES.map((door) => {
    const name = prefix + door;
    const index = functionFile(name, "index.ts");
    const folder = `supabase/functions/${name}/`;
    const paths = [...files.keys()];
    const similar = paths.find((path) =>
      path.toLowerCase().startsWith(folder.toLowerCase()) && !path.startsWith(folder)
    );
    if (similar !== undefined) {
      const problem = `Windows and macOS take its folder for that of our function ${name}`;
      const advice =
        "Rename yours, or name ours differently: symphony-messenger init --prefix bus-";
      return { changes: [], notes: [refusal(similar, problem, advice)] };
    }
    const other = paths.find((path) => path.startsWith(folder));
    if (other !== undefined && !isOurs(files.get(index))) {
      const path = files.has(index) ? index : other;
      const advice = adviceOfLostMark(files.get(index)) ??
        "Rename yours, or name ours differently: symphony-messenger init --prefix bus-";
      return { changes: [], notes: [refusal(path, `the function ${name} is yours`, advice)] };
    }
    const changes = [
      { path: index, text: files.get(index) ?? indexText(door) },
      {
        path: functionFile(name, "deno.json"),
        text: files.get(functionFile(name, "deno.json")) ?? DENO_JSON,
      },
    ];
    return { changes, notes: configNotes(config, name) };
  });
}

/** Settings of the config that would keep one of our functions from working, here or on a branch. */
function configNotes({ data, path }: Config, name: string): Note[] {
  const remotes = Object.keys(valueAt(data, ["remotes"]) ?? {}).map((name) => ["remotes", name]);
  return [[], ...remotes].flatMap((place) =>
    functionNotes(path, [...place, "functions", name], name, data)
  );
}

function functionNotes(path: string, table: string[], name: string, data: unknown): Note[] {
  const setting = (key: string) => valueAt(data, [...table, key]);
  const full = table.join(".");
  const notes: Note[] = [];
  if (setting("verify_jwt") === true) {
    notes.push(refusal(
      path,
      `${full}.verify_jwt is true: the gateway would turn secret keys away`,
      "Set it to false: the function checks keys and tokens itself.",
    ));
  }
  if (setting("enabled") === false) {
    const problem = `${full}.enabled is false: the function would be neither served nor deployed`;
    notes.push(refusal(path, problem, "Take it out."));
  }
  for (const key of ["import_map", "entrypoint"]) {
    const value = setting(key);
    const own = key === "entrypoint" ? "index.ts" : "deno.json";
    const isOwn = [`./functions/${name}/${own}`, `functions/${name}/${own}`].some((it) =>
      it === value
    );
    if (value === undefined || isOwn) continue;
    const problem = `${full}.${key} is ${JSON.stringify(value)}`;
    notes.push(refusal(path, problem, `Take it out: the function brings its ${own}.`));
  }
  return notes;
}

function planMessages(files: Files): Part {
  // The example belongs to the mod.ts that names it.
  const hasMod = files.has(`${MESSAGES}/mod.ts`);
  const names = Object.keys(MESSAGES_FILES).filter((name) => !hasMod || name !== "example.ts");
  const changes = names.map((name) => {
    const path = `${MESSAGES}/${name}`;
    return { path, text: files.get(path) ?? MESSAGES_FILES[name] ?? "" };
  });
  return { changes, notes: [] };
}

function planMigrations(
  files: Files,
  { releases, now }: InitOptions,
  prefix: string,
  found: string | null,
): Part {
  const migrations = migrationsOf(files);
  const notes = doubledStamps(migrations).map(({ path, stamp }) =>
    refusal(path, `another migration is called ${stamp} too`, "Give one of them another stamp.")
  );
  const installed = installedVersion(files);
  const newest = newestOf(releases);
  if (installed !== null) {
    if (compareVersions(installed, newest) < 0) {
      notes.push(warning(
        "supabase/migrations",
        `the schema is of release ${installed}, this package is of ${newest}`,
        "Run `npx symphony-messenger upgrade`.",
      ));
    }
    // A prefix is told to the database once, with the functions that have it.
    if (prefix === "" || found !== null) return { changes: [], notes };
  } else notes.push(...clashNotes(files, releases));

  const wanted = installed === null
    ? releases.map(({ version, sql }) => ({ name: `symphony_${version}`, text: sql }))
    : [];
  if (prefix !== "") wanted.push({ name: "symphony_prefix", text: prefixSql(prefix) });
  const stamps = nextStamps(migrations, now, wanted.length);
  if (stamps === null) {
    return { changes: [], notes: [...notes, behindAll(migrations.at(-1)?.path)] };
  }
  const changes = wanted.map(({ name, text }, at) => ({
    path: `supabase/migrations/${stamps[at]}_${name}.sql`,
    text,
  }));
  return { changes, notes };
}

function clashNotes(files: Files, releases: readonly Release[]): Note[] {
  const ours = releases.map(({ sql }) => sql).join("\n");
  return findClashes(files, ours).map(({ path, line, what }) =>
    refusal(path, `${what} has a name of Symphony Messenger's`, "Rename yours first.", line)
  );
}

function newestOf(releases: readonly Release[]): string {
  return releases.at(-1)?.version ?? "";
}
