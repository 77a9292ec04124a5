/**
 * Checks the source's structure and language, and prints the figures. Part of `deno task check`.
 */

import { findBannedWords } from "./banned_words.ts";
import { LONG_SQL_FUNCTIONS, STRUCTURE_EXCEPTIONS, withoutExceptions } from "./exceptions.ts";
import { proseOf, wordsOfName } from "./prose.ts";
import { findSqlFunctions } from "./sql_functions.ts";
import { describeFigures, findProblems, type Source } from "./structure.ts";
import { readTypeScript } from "./typescript_file.ts";
import { walk } from "./walk.ts";

const LIBRARY = "supabase/functions/_shared/symphony";
const CONSOLE = "console";
/** Generated from the database and from the OpenAPI document, and as long as these are. */
const GENERATED = [
  `${LIBRARY}/database/database.types.ts`,
  `${CONSOLE}/api/openapi.gen.ts`,
];

/** Where people read. */
const PROSE = ["."];
/** Written from the schemas, which are checked; a published one never changes. */
const MIGRATIONS = "supabase/migrations/";
/** The list of banned words names them, and so do its test and the page that tells people. */
const NAMES_BANNED_WORDS = ["banned_words.ts", "source_checks.test.ts", "CONTRIBUTING.md"];

Deno.chdir(new URL("../..", import.meta.url));
const source = readSource();
console.log(describeFigures(source).join("\n"));
const complaints = [
  ...withoutExceptions(findProblems(source), [...STRUCTURE_EXCEPTIONS, ...LONG_SQL_FUNCTIONS]),
  ...bannedWords(),
];
for (const complaint of complaints) console.error(complaint);
if (complaints.length > 0) Deno.exit(1);

function readSource(): Source {
  return {
    files: walk([LIBRARY, CONSOLE], [".ts", ".tsx"]).filter((path) => !GENERATED.includes(path))
      .map((path) => readTypeScript(path, Deno.readTextFileSync(path))),
    sqlFunctions: walk(["supabase/schemas"], [".sql"]).flatMap((path) =>
      findSqlFunctions(Deno.readTextFileSync(path)).map((found) => ({ ...found, path }))
    ),
  };
}

function bannedWords(): string[] {
  return walk(PROSE, [".md", ".sql", ".ts", ".tsx"])
    .filter((path) => !path.startsWith(MIGRATIONS))
    .filter((path) => !NAMES_BANNED_WORDS.some((name) => `/${path}`.endsWith(`/${name}`)))
    .flatMap((path) => [
      ...findBannedWords(path, path.endsWith(".sql") ? wordsOfName(path) : "").map(({ words }) =>
        `${path}: banned in the name: "${words}" (local/source_checks/banned_words.ts says why)`
      ),
      ...findBannedWords(path, proseOf(path, Deno.readTextFileSync(path))).map(({ line, words }) =>
        `${path}:${line}: banned: "${words}" (local/source_checks/banned_words.ts says why)`
      ),
    ]);
}
