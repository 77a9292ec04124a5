/** Finds SQL of the project that uses names of ours: a migration of ours would replace it, or fail on it. */

import { type Files, lineAt } from "./files.ts";
import { createsOurs } from "./installed.ts";
import { statementsOf, withoutComments } from "./sql-text.ts";

/** A name of ours in a file of the user's. */
export interface Clash {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** Such as `function messenger_now` or `cron job symphony-tick`. */
  readonly what: string;
}

const NAME = `(?:"([^"]+)"|([a-z_][\\w$]*))`;
const FULL_NAME = `${NAME}(?:\\s*\\.\\s*${NAME})?`;
/** Not of temporary tables, which are in a schema of their own. */
const KINDS =
  "(?:(?:unlogged|foreign|recursive)\\s+)?(table|view|materialized\\s+view|function|procedure|routine|aggregate|type|sequence|schema|domain)";
const CREATED = new RegExp(
  `\\bcreate\\s+(?:or\\s+replace\\s+)?${KINDS}\\s+(?:if\\s+not\\s+exists\\s+)?(?:authorization\\s+)?${FULL_NAME}`,
  "gi",
);
/** Up to the end of the statement: one DROP may name several objects. */
const DROPPED = new RegExp(`\\bdrop\\s+${KINDS}\\s+(?:if\\s+exists\\s+)?([^;]*)`, "gi");
/** Of a function the parameters follow its name. */
const MOVED = new RegExp(
  `\\balter\\s+${KINDS}\\s+(?:if\\s+exists\\s+)?(?:only\\s+)?${FULL_NAME}\\s*(?:\\([^()]*\\)\\s*)?(?:rename\\s+to|set\\s+(schema))\\s+${NAME}`,
  "gi",
);
const LITERAL = "(?:e?'([^']+)'|\\$(\\w*)\\$([^$]+)\\$\\w*\\$)";
const CRON_CALL = /"?\bcron"?\s*\.\s*"?(schedule|schedule_in_database|unschedule)"?\s*\(/gi;
const FIRST_ARGUMENT = new RegExp(`^\\s*${LITERAL}`, "i");
const NAMED_ARGUMENT = new RegExp(`\\bjob_?name\\s*(?::=|=>)\\s*${LITERAL}`, "i");
/** A call's name is looked for in this many characters at most. */
const CALL_LENGTH = 2_000;

/** A name, and whether a statement makes it or takes it away. */
interface Use {
  readonly what: string;
  readonly index: number;
  readonly isGone: boolean;
}

/**
 * Finds the names that our SQL creates in the project's own migrations and schemas.
 * @param ours the SQL of our releases
 */
export function findClashes(files: Files, ours: string): Clash[] {
  const created = usesIn(ours).filter(({ isGone }) => !isGone);
  const names = new Set(created.map(({ what }) => what));
  for (const job of jobsIn(ours)) names.add(`cron job ${job}`);
  const clashes = new Map<string, Clash>();
  for (const path of [...files.keys()].filter(isSql).sort()) {
    const text = files.get(path) ?? "";
    // A squash or a dump holds our schema beside the user's.
    if (createsOurs(text)) continue;
    for (const { what, index, isGone } of usesIn(text)) {
      if (isGone) clashes.delete(what);
      else if (names.has(what)) {
        clashes.set(what, { path, line: lineAt(text, index), what });
      }
    }
  }
  return [...clashes.values()];
}

/** The names of what our SQL creates in the schema public: functions, and tables with views and types. */
export function publicNames(ours: string): { functions: string[]; relations: string[] } {
  const names = new Set(createdIn(statementsOf(ours)).map(({ what }) => what));
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

/** Files that the Supabase CLI applies: of the folders below migrations none. */
function isSql(path: string): boolean {
  return /^supabase\/(migrations\/\d+_[^/]*|schemas\/.*)\.sql$/.test(path);
}

/** The names that the statements of a text create, drop, rename and move, in their order. */
function usesIn(text: string): Use[] {
  const code = statementsOf(text);
  const scheduled = scheduledIn(withoutComments(text));
  return [...createdIn(code), ...droppedIn(code), ...movedIn(code), ...scheduled]
    .sort((a, b) => a.index - b.index);
}

function createdIn(code: string): Use[] {
  return [...code.matchAll(CREATED)].flatMap(({ index, 1: kind = "", 2: a, 3: b, 4: c, 5: d }) =>
    useOf(kind, index, false, nameOf(a, b), nameOf(c, d))
  );
}

function droppedIn(code: string): Use[] {
  return [...code.matchAll(DROPPED)].flatMap(({ index, 1: kind = "", 2: list = "" }) =>
    list.replace(/\([^()]*\)/g, "").split(",").flatMap((item) => {
      const [, a, b, c, d] = new RegExp(`^\\s*${FULL_NAME}`, "i").exec(item) ?? [];
      return useOf(kind, index, true, nameOf(a, b), nameOf(c, d));
    })
  );
}

/** An object that was renamed or moved has gone, and may be there under its new name. */
function movedIn(code: string): Use[] {
  return [...code.matchAll(MOVED)].flatMap((match) => {
    const { index, 1: kind = "", 6: toSchema } = match;
    const [first, second] = [nameOf(match[2], match[3]), nameOf(match[4], match[5])];
    const target = nameOf(match[7], match[8]);
    const [schema, name] = second === undefined ? [undefined, first] : [first, second];
    const after = toSchema === undefined ? [schema, target] : [target, name];
    return [
      ...useOf(kind, index, true, first, second),
      ...useOf(kind, index, false, ...after.filter((part) => part !== undefined)),
    ];
  });
}

function scheduledIn(code: string): Use[] {
  return [...code.matchAll(CRON_CALL)].flatMap(({ 0: call, index, 1: verb = "" }) => {
    const rest = code.slice(index + call.length, index + call.length + CALL_LENGTH);
    const [its = ""] = rest.split(CRON_CALL, 1);
    const [, quoted, , dollars] = FIRST_ARGUMENT.exec(its) ?? NAMED_ARGUMENT.exec(its) ?? [];
    const job = quoted ?? dollars;
    if (job === undefined) return [];
    return [{ what: `cron job ${job}`, index, isGone: /^unschedule$/i.test(verb) }];
  });
}

function useOf(
  kind: string,
  index: number,
  isGone: boolean,
  first?: string,
  second?: string,
): Use[] {
  const what = first === undefined ? null : described(kind, first, second);
  return what === null ? [] : [{ what, index, isGone }];
}

/** Tables, views and types share names; functions have their own. */
function described(kind: string, first: string, second: string | undefined): string | null {
  if (/schema/i.test(kind)) return `schema ${first}`;
  const [schema, name] = second === undefined ? ["public", first] : [first, second];
  if (schema !== "public") return null;
  return `${/function|procedure|routine|aggregate/i.test(kind) ? "function" : "relation"} ${name}`;
}

function nameOf(quoted: string | undefined, plain: string | undefined): string | undefined {
  return quoted ?? plain?.toLowerCase();
}
