// The checks of structure and language that `deno task check` runs.
import { assertEquals } from "@std/assert";
import { findBannedWords } from "../../../local/source_checks/banned_words.ts";
import { withoutExceptions } from "../../../local/source_checks/exceptions.ts";
import { findCircles } from "../../../local/source_checks/import_circles.ts";
import { proseOf, wordsOfName } from "../../../local/source_checks/prose.ts";
import { findSqlFunctions } from "../../../local/source_checks/sql_functions.ts";
import {
  describeFigures,
  findProblems,
  MAX_FUNCTION_LINES,
} from "../../../local/source_checks/structure.ts";
import { readTypeScript } from "../../../local/source_checks/typescript_file.ts";

function banned(path: string, text: string): string[] {
  return findBannedWords(path, proseOf(path, text)).map(({ line, words }) => `${line}: ${words}`);
}

Deno.test("functions are measured from their declaration to their closing brace", () => {
  const { functions, lines } = readTypeScript(
    "a.ts",
    `/** Adds.\n * Two. */
export function add(a: number): number {
  const inner = () => {
    return a;
  };
  return inner();
}
class C {
  constructor() {}
  get one() { return { b() {
    return 1; } }; }
}
declare function none(): void;
`,
  );
  assertEquals(functions.map(({ name, line, lines }) => [name, line, lines]), [
    ["add", 3, 6],
    ["inner", 4, 3],
    ["constructor", 10, 1],
    ["one", 11, 2],
    ["b", 11, 2],
  ]);
  assertEquals(lines, 14);
});

Deno.test("imports of all kinds are seen, type-only ones included, and packages are not", () => {
  const { imports } = readTypeScript(
    "x/a.ts",
    `import { a } from "./b.ts";
import type { C } from "../c.ts";
import "zod";
export * from "./d.ts";
type E = import("./e.ts").E;
const f = await import("./f.ts");
// import "./comment.ts";
`,
  );
  assertEquals(imports, ["c.ts", "x/b.ts", "x/d.ts", "x/e.ts", "x/f.ts"]);
});

Deno.test("SQL's names are seen in texts of all kinds, and refused outside database/ and testing/", () => {
  const text = `// "messenger_comment"
call("messenger_claim");
call('messenger_claim', \`messenger_\${verb}\`, \`messenger_run\`);
throw new Error("run select messenger_tick()");
`;
  const files = ["a/one.ts", "a/database/two.ts", "a/testing/three.ts"]
    .map((path) => readTypeScript(path, text));
  assertEquals(findProblems({ files, sqlFunctions: [] }).map(({ text }) => text), [
    "a/one.ts:2: names messenger_claim; database/ alone speaks SQL's names",
    "a/one.ts:3: names messenger_claim; database/ alone speaks SQL's names",
    "a/one.ts:3: names messenger_; database/ alone speaks SQL's names",
    "a/one.ts:3: names messenger_run; database/ alone speaks SQL's names",
  ]);
});

Deno.test("an export without a docstring is named, and one docstring does for all overloads", () => {
  const { undocumented } = readTypeScript(
    "a.ts",
    `import "zod";
/** Of a. */
export const a = 1;
export const b = 2, c = 3;
/** Of d. */
export function d(x: 1): void;
export function d(x: 2): void;
export function d() {}
// Of e.
export interface E {}
export { a as again };
class F {}
`,
  );
  assertEquals(undocumented, ["b", "c", "E"]);
});

Deno.test("a circle of imports holds the files that reach each other, and no others", () => {
  const graph = new Map([
    ["a", ["b", "x"]],
    ["b", ["c"]],
    ["c", ["a", "missing"]],
    ["x", ["y"]],
    ["y", []],
    ["own", ["own"]],
  ]);
  assertEquals(findCircles(graph), [["a", "b", "c"], ["own"]]);
});

Deno.test("SQL functions end at their semicolon, whatever quotes hide others", () => {
  const text = `-- create function not_this();
create table t (id int);
create or replace function public.one(a text default ';')
returns text language sql as $$
  select ';'; -- ;
$$;
create procedure "two"() language plpgsql as $body$
begin
  execute $$ select 1; $$;
end $body$;
create function messenger.three() returns int return 1;`;
  assertEquals(findSqlFunctions(text), [
    { name: "public.one", line: 3, lines: 4 },
    { name: '"two"', line: 7, lines: 4 },
    { name: "messenger.three", line: 11, lines: 1 },
  ]);
});

Deno.test("each breach of the structure is found, and counted in the figures", () => {
  const long = `{${"\n".repeat(MAX_FUNCTION_LINES)}}`;
  const source = {
    files: [
      readTypeScript("a/one.ts", `import "../b/one.ts";\nfunction f() ${long}`),
      readTypeScript("b/one.ts", `import "../a/one.ts";\nexport const x = 1;`),
      readTypeScript("b/snake_case.ts", "\n".repeat(300) + "1;"),
      readTypeScript("a/index.ts", ""),
      readTypeScript("b/index.ts", ""),
    ],
    sqlFunctions: [{ path: "s.sql", name: "messenger.f", line: 7, lines: 61 }],
  };
  assertEquals(findProblems(source).map(({ text }) => text), [
    "circle of imports: a/one.ts, b/one.ts",
    "a/one.ts:2: f has 51 lines; at most 50",
    "b/one.ts: x has no docstring",
    "b/snake_case.ts: the file has 301 lines; at most 300",
    "b/snake_case.ts: the file's name is not in kebab-case",
    "one basename for different things: a/one.ts, b/one.ts",
    "s.sql:7: messenger.f has 61 lines; at most 60",
  ]);
  assertEquals(describeFigures(source), [
    "files: 5, median 2 lines",
    "longest file: 301 lines (b/snake_case.ts)",
    "longest function: 51 lines (f in one.ts)",
    "longest SQL function: 61 lines (messenger.f in s.sql)",
    "circles of imports: 1",
    "basenames used twice: 1",
    "file names not in kebab-case: 1",
  ]);
});

Deno.test("an exception hides its breach, and one that is no longer needed must be removed", () => {
  const problems = [{ subject: "a", text: "a is long" }, { subject: "b", text: "b is long" }];
  assertEquals(withoutExceptions(problems, ["b", "c"]), [
    "a is long",
    'local/source_checks/exceptions.ts: "c" needs no exception any more: remove it',
  ]);
});

Deno.test("banned words are found in comments and texts of TypeScript, across lines, and not in code", () => {
  const found = banned(
    "local/a.ts",
    `/**
 * Waits so
 * many ms. 30 s where absent.
 */
const anew = "goes on"; // anew
const text = \`of \${anew} nobody\`;
throw new Error("x: what is left");
// A look at full looks up a look-up, and each look is one.
`,
  );
  assertEquals(found, [
    "2: so many",
    "3: where absent",
    "5: goes on",
    "5: anew",
    "6: nobody",
    "7: what is left",
    "8: A look",
    "8: each look",
  ]);
});

Deno.test("banned words are found in SQL and Markdown", () => {
  assertEquals(
    banned("a.sql", "-- Plans so\n-- many.\ncomment on table t is 'Whoever asks.';\n"),
    ["1: so many", "3: Whoever"],
  );
  assertEquals(banned("README.md", "It goes\non. Run as `nobody`.\n"), ["1: goes on"]);
});

Deno.test("a sentence that begins with Who or What must be a question", () => {
  assertEquals(banned("a.md", "What is due starts. Who asks?\nWhat now? Who waits."), [
    "1: What",
    "2: Who",
  ]);
});

Deno.test("banned words are found in the name of a pgTAP test", () => {
  const path = "tests/sql/take_step/goes_on_behind_the_step_before.sql";
  assertEquals(findBannedWords(path, wordsOfName(path)).map(({ words }) => words), ["goes on"]);
});

Deno.test('"by hand" is banned unless it says where', () => {
  assertEquals(banned("a.md", "Changed by hand. Changed by hand in the dashboard."), [
    "1: by hand",
  ]);
});

Deno.test('"answers" is banned where the subject is not HTTP', () => {
  const text = "// It answers the id. PostgREST answers 400.\n";
  assertEquals(banned("local/a.ts", text), ["1: answers"]);
  assertEquals(banned("client/a.ts", text), []);
});
