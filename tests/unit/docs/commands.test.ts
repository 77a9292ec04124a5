/** The command lines that docs and advice name: each is one that the command takes, under the name that users have. */

import { assert, assertEquals } from "@std/assert";
import { walk } from "../../../local/source_checks/walk.ts";
import { say } from "../../support/cli.ts";

const LIBRARY = "supabase/functions/_shared/symphony";
const TEXTS = walk(
  ["README.md", "SECURITY.md", "docs", "examples", LIBRARY, "supabase/schemas", "cli"],
  [".md", ".ts", ".sql"],
).filter((path) => !path.endsWith("client.gen.ts"));
/** A line of a shell, or one in a sentence: it ends where the text around it continues. */
const COMMAND = /(?:symphony-messenger(?:@latest)?|task messenger) ([a-z][^\n`|#;()$"'\\:,]*)/g;

const UNKNOWN = "no such command";
const helps = new Map<string, Promise<string>>();

/** The help of a command; null if there is no such one. */
async function helpOf(words: readonly string[]): Promise<string | null> {
  const name = words.join(" ");
  const help = helps.get(name) ?? say([...words, "--help"]).then(({ out }) => out);
  helps.set(name, help);
  return (await help).startsWith(`Usage: symphony-messenger ${name} [`) ? await help : null;
}

/** Tells what is wrong with a command line; undefined if nothing is. */
async function problemOf(line: string): Promise<string | undefined> {
  const words = line.split(/\s+/);
  const names = words.slice(0, 3).filter((word, at) => /^[a-z-]+$/.test(word) || at === 0);
  let help: string | null = null;
  while (names.length > 0 && (help = await helpOf(names)) === null) names.pop();
  if (help === null) return UNKNOWN;
  if (help.includes("\nCommands:") && /^\w/.test(words[names.length] ?? "")) {
    return `${names.join(" ")} has no ${words[names.length]}`;
  }
  const unknown = words.map((word) => /^(--[a-z][a-z-]*)/.exec(word)?.[1])
    .filter((flag) => flag !== undefined && !help.includes(flag));
  return unknown.length === 0 ? undefined : `no option ${unknown.join(", ")}`;
}

Deno.test("each command line of docs and advice is one that the command takes", async () => {
  const problems: string[] = [];
  let found = 0;
  for (const path of TEXTS) {
    for (const [, line = ""] of Deno.readTextFileSync(path).matchAll(COMMAND)) {
      const command = line.replace(/\.( .*)?$/, "").trim();
      const problem = await problemOf(command);
      // Sentences of the source name the package as well: "symphony-messenger needs zod 4".
      if (problem === UNKNOWN && !path.endsWith(".md")) continue;
      found++;
      if (problem) problems.push(`${path}: ${command}: ${problem}`);
    }
  }
  assert(found > 100, `${found} command lines`);
  assertEquals(problems, []);
});

Deno.test("no text calls the command by a name that users do not have", () => {
  const other = /(?<![-\w./"]|task )messenger (failed|queues|outbox|alerts|webhooks|schedules)\b/;
  assertEquals(TEXTS.filter((path) => other.test(Deno.readTextFileSync(path))), []);
});

Deno.test("the table of the command lists each group's commands as its help does", async () => {
  const page = Deno.readTextFileSync("docs/management.md");
  const rows = [...page.matchAll(/^\| `([a-z]+)` +\| (`.*) \|$/gm)];
  const groups = rows.slice(rows.findIndex(([, name]) => name === "messages"));
  assert(groups.length > 7, `${groups.length} groups`);
  for (const [, name = "", verbs = ""] of groups) {
    // Groups within a group are listed behind a semicolon, each with its own commands behind a colon.
    const [own = "", ...inner] = verbs.split("; ");
    const listed = [own, ...inner.map((group) => group.split(":")[0])].join().match(/[a-z]+/g);
    const [, commands = ""] = (await helpOf([name]) ?? "").split("\nCommands:\n");
    const helped = [...commands.matchAll(/^ {2}([a-z]+)/gm)].map(([, verb]) => verb)
      .filter((verb) => verb !== "help");
    assertEquals([name, listed?.sort()], [name, helped.sort()]);
  }
});

Deno.test("a curl that sends a body sends it as JSON, which is all that functions take", () => {
  const form = /curl [^\n]* (?:-d|--data)\b/;
  assertEquals(
    TEXTS.filter((path) => path.endsWith(".md") && form.test(Deno.readTextFileSync(path))),
    [],
  );
});
