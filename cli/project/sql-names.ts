/** Finds SQL of the project that uses names of ours: a migration of ours would replace it, or fail on it. */

import { type Files, lineAt } from "./files.ts";
import { createsOurs } from "./installed.ts";

/** A name of ours in a file of the user's. */
export interface Clash {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** Such as `function messenger_now` or `cron job symphony-tick`. */
  readonly what: string;
}

const NAME = `(?:"([^"]+)"|([a-z_][\\w$]*))`;
const KINDS =
  "(?:(?:global\\s+|local\\s+)?(?:temporary|temp|unlogged)\\s+)?(table|view|materialized\\s+view|function|procedure|type|sequence|schema|domain)";
const CREATED = new RegExp(
  `\\bcreate\\s+(?:or\\s+replace\\s+)?${KINDS}\\s+(?:if\\s+not\\s+exists\\s+)?${NAME}(?:\\s*\\.\\s*${NAME})?`,
  "gi",
);
const DROPPED = new RegExp(
  `\\bdrop\\s+${KINDS}\\s+(?:if\\s+exists\\s+)?${NAME}(?:\\s*\\.\\s*${NAME})?`,
  "gi",
);
const JOB = /\bcron\s*\.\s*schedule\s*\(\s*(?:job_name\s*(?::=|=>)\s*)?'([^']+)'/gi;
const UNSCHEDULED = /\bcron\s*\.\s*unschedule\s*\(\s*(?:job_name\s*(?::=|=>)\s*)?'([^']+)'/gi;

/**
 * Finds the names that our SQL creates in the project's own migrations and schemas.
 * @param ours the SQL of our releases
 */
export function findClashes(files: Files, ours: string): Clash[] {
  const names = new Set(namesIn(ours, CREATED, JOB).map(({ what }) => what));
  for (const job of jobsIn(ours)) names.add(`cron job ${job}`);
  const clashes = new Map<string, Clash>();
  for (const path of [...files.keys()].filter(isSql).sort()) {
    const text = files.get(path) ?? "";
    // A squash or a dump holds our schema beside the user's.
    if (createsOurs(text)) continue;
    const found = [
      ...namesIn(text, CREATED, JOB).map((name) => ({ ...name, isDrop: false })),
      ...namesIn(text, DROPPED, UNSCHEDULED).map((name) => ({ ...name, isDrop: true })),
    ].sort((a, b) => a.index - b.index);
    for (const { what, index, isDrop } of found) {
      if (isDrop) clashes.delete(what);
      else if (names.has(what)) {
        clashes.set(what, { path, line: lineAt(text, index), what });
      }
    }
  }
  return [...clashes.values()];
}

/** The names of what our SQL creates in the schema public: functions, and tables with views and types. */
export function publicNames(ours: string): { functions: string[]; relations: string[] } {
  const names = new Set(namesIn(ours, CREATED, JOB).map(({ what }) => what));
  const ofKind = (kind: string) =>
    [...names].filter((what) => what.startsWith(kind)).map((what) => what.slice(kind.length))
      .filter((name) => name.startsWith("messenger_")).sort();
  return { functions: ofKind("function "), relations: ofKind("relation ") };
}

/** The names of our cron jobs, wherever our SQL writes them. */
export function jobsIn(ours: string): string[] {
  return [...new Set([...ours.matchAll(/'(symphony-[a-z-]+)'/g)].map(([, job = ""]) => job))]
    .sort();
}

function isSql(path: string): boolean {
  return /^supabase\/(migrations|schemas)\/.*\.sql$/.test(path);
}

function namesIn(text: string, objects: RegExp, jobs: RegExp): { what: string; index: number }[] {
  const code = withoutComments(text);
  const found = [...code.matchAll(objects)].flatMap((match) => {
    const { index, 1: kind = "" } = match;
    const first = nameOf(match[2], match[3]);
    const second = nameOf(match[4], match[5]);
    const what = first === undefined ? null : described(kind, first, second);
    return what === null ? [] : [{ what, index }];
  });
  const scheduled = [...code.matchAll(jobs)].map(({ index, 1: job }) => ({
    what: `cron job ${job}`,
    index,
  }));
  return [...found, ...scheduled];
}

/** Tables, views and types share names; functions have their own. */
function described(kind: string, first: string, second: string | undefined): string | null {
  if (/schema/i.test(kind)) return `schema ${first}`;
  const [schema, name] = second === undefined ? ["public", first] : [first, second];
  if (schema !== "public") return null;
  return `${/function|procedure/i.test(kind) ? "function" : "relation"} ${name}`;
}

function nameOf(quoted: string | undefined, plain: string | undefined): string | undefined {
  return quoted ?? plain?.toLowerCase();
}

/** Comments become spaces, so that indexes stay; quotes are kept, since jobs have their names in them. */
function withoutComments(text: string): string {
  return text.replace(
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[^]*?\*\//g,
    (part) => /^(--|\/\*)/.test(part) ? part.replace(/[^\n]/g, " ") : part,
  );
}
