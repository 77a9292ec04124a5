/** Names in docs/glossary.md are names of the source: a rename there has to reach the glossary. */

import { assert, assertEquals } from "@std/assert";
import { walk } from "../../../local/source_checks/walk.ts";

const LIBRARY = "supabase/functions/_shared/symphony";
/** The column of the glossary, and the files in which its names occur. */
const COLUMNS: readonly [name: string, paths: readonly string[]][] = [
  ["SQL", walk(["supabase/schemas"], [".sql"])],
  ["TypeScript", walk([LIBRARY], [".ts"])],
  ["API, CLI", ["docs/openapi.json", ...walk(["cli", `${LIBRARY}/http`], [".ts"])]],
];

interface Row {
  readonly term: string;
  readonly cells: readonly string[];
}

const rows = readRows(Deno.readTextFileSync("docs/glossary.md"));

for (const [index, [column, paths]] of COLUMNS.entries()) {
  const source = paths.map((path) => Deno.readTextFileSync(path)).join("\n");
  Deno.test(`each ${column} name in the glossary occurs in the source`, () => {
    const unknown = rows.flatMap(({ term, cells }) =>
      [...(cells[index] ?? "").matchAll(/`([^`]+)`/g)]
        .map(([, name = ""]) => name)
        .filter((name) => !occurs(name, source))
        .map((name) => `${term}: ${name}`)
    );
    assertEquals(unknown, []);
  });
}

Deno.test("each term stands once, and is explained in one sentence", () => {
  assert(rows.length > 60);
  const terms = rows.map(({ term }) => term);
  assertEquals(terms.filter((term, index) => terms.indexOf(term) !== index), []);
  const notOne = rows.filter(({ cells }) => !/^[A-Z].*[^.]\.$/.test(cells.at(-1) ?? ""));
  assertEquals(notOne, []);
});

/** The rows of all tables: a term, and the cells of its names followed by its meaning. */
function readRows(markdown: string): Row[] {
  return markdown.split("\n").filter((line) => /^\| (?!term |-)/.test(line)).map((line) => {
    const [, term = "", meaning = "", ...names] = line.split("|").map((cell) => cell.trim());
    return { term, cells: [...names.slice(0, COLUMNS.length), meaning] };
  });
}

/** A name with a schema or an object before the dot may stand without it in the source. */
function occurs(name: string, source: string): boolean {
  const last = name.split(".").at(-1) ?? name;
  return [name, last].some((text) => new RegExp(`\\b${text}\\b`).test(source));
}
