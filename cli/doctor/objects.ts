/** Compares the database's objects with those that the releases make: later changes of ours are found so. Pure. */

import { createHash } from "node:crypto";
import { compareVersions } from "../../supabase/functions/_shared/symphony/runtime/versions.ts";
import type { Release } from "../releases.ts";
import { type Check, failed, passed } from "./check.ts";

/** The objects of the bus, as the management API lists them. */
export interface Objects {
  readonly version: string;
  readonly routines: Readonly<Record<string, readonly string[]>>;
  readonly relations: readonly string[];
  readonly triggers: readonly string[];
  /** Stamps of the applied migrations; null if the database does not tell. */
  readonly migrations?: readonly string[] | null;
  /** Foreign keys of the project's own tables that keep rows of the bus from being deleted; older releases tell none. */
  readonly references?: readonly Reference[];
}

/** A foreign key. */
export interface Reference {
  readonly name: string;
  readonly table: string;
  /** The table of the bus. */
  readonly on: string;
  readonly definition: string;
}

const NAME = String.raw`"?(public|messenger)"?\."?(\w+)"?`;
const ROUTINE = new RegExp(
  String
    .raw`^create\s+(?:or\s+replace\s+)?(?:function|procedure)\s+${NAME}\s*\([^;]*?\bas\s+(\$\w*\$)([^]*?)\3`,
  "gim",
);
const RELATION = new RegExp(String.raw`^create\s+(?:table|view)\s+${NAME}`, "gim");
const TRIGGER = /^create\s+(?:constraint\s+)?trigger\s+"?(\w+)"?/gim;
const DROPPED = new RegExp(String.raw`^drop\s+(?:routine|view|table)\s+${NAME}`, "gim");

/** `init --prefix` gives it a body of its own. */
const EDITED = "messenger.function_prefix";

/** Compares the two. @param releases this package's, the first one first */
export function checkObjects(found: Objects, releases: readonly Release[]): Check {
  const name = "objects";
  const own = releases.filter(({ version }) => compareVersions(version, found.version) <= 0);
  if (own.at(-1)?.version !== found.version) {
    return passed(name, `not compared: this package does not know release ${found.version}`);
  }
  const wanted = objectsOf(own);
  const missing = [
    ...[...wanted.relations].filter((one) => !found.relations.includes(one)),
    ...[...wanted.routines.keys()].filter((one) => !(one in found.routines)),
    ...[...wanted.triggers].filter((one) => !found.triggers.includes(one)),
  ];
  const changed = [...wanted.routines].filter(([name, hashes]) =>
    name !== EDITED && found.routines[name]?.some((hash) => !hashes.includes(hash))
  ).map(([name]) => name);
  if (missing.length + changed.length === 0) {
    return passed(name, `as release ${found.version} has them`);
  }
  return failed(
    name,
    [
      ...missing.map((one) => `${one} is not there, or is switched off`),
      ...changed.map((one) => `${one} was changed`),
    ].join(", "),
    `Release ${found.version} has them otherwise. Restore them in a migration of your own; the statements are in ..._symphony_${found.version}.sql or an earlier one.`,
  );
}

/** The objects after all these releases. */
function objectsOf(releases: readonly Release[]) {
  const routines = new Map<string, string[]>();
  const [relations, triggers] = [new Set<string>(), new Set<string>()];
  for (const { sql } of releases) {
    const text = sql.replaceAll("\r\n", "\n");
    for (const [, schema, name] of text.matchAll(DROPPED)) {
      routines.delete(`${schema}.${name}`);
      relations.delete(`${schema}.${name}`);
    }
    const made = new Map<string, string[]>();
    for (const [, schema, name, , body = ""] of text.matchAll(ROUTINE)) {
      const hash = createHash("md5").update(body).digest("hex");
      made.set(`${schema}.${name}`, [...made.get(`${schema}.${name}`) ?? [], hash]);
    }
    for (const [name, hashes] of made) routines.set(name, hashes);
    for (const [, schema, name] of text.matchAll(RELATION)) relations.add(`${schema}.${name}`);
    for (const [, name = ""] of text.matchAll(TRIGGER)) triggers.add(name);
  }
  return { routines, relations, triggers };
}
