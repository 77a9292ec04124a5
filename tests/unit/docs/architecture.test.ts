/** docs/architecture.md names files and symbols of the source: a move or a rename has to reach it. */

import { assert, assertEquals } from "@std/assert";
import { walk } from "../../../local/source_checks/walk.ts";
import { readTypeScript } from "../../../local/source_checks/typescript_file.ts";

const PAGE = "docs/architecture.md";
const LIBRARY = "supabase/functions/_shared/symphony";

const page = Deno.readTextFileSync(PAGE);

Deno.test("each link to code leads to a file that declares the symbol", () => {
  const links = [...page.matchAll(/\[`([^`]+)`\]\(\.\.\/([^)#]+)\)/g)];
  assert(links.length > 40, `${links.length} links`);
  const broken = links.flatMap(([, symbol = "", path = ""]) => {
    const problem = problemOf(symbol, path);
    return problem ? [`${symbol} in ${path}: ${problem}`] : [];
  });
  assertEquals(broken, []);
});

Deno.test("the table of rooms lists each folder of the library, and the folders that it imports", () => {
  const folders = [...Deno.readDirSync(LIBRARY)].filter(({ isDirectory }) => isDirectory)
    .map(({ name }) => name).sort();
  const listed = [...page.matchAll(/^\| `([a-z-]+)\/` +\|[^|]*\|([^|]*)\|$/gm)]
    .map(([, room = "", uses = ""]) => [room, uses.match(/[a-z-]+/g) ?? []]);
  assertEquals(
    Object.fromEntries(listed),
    Object.fromEntries(folders.map((folder) => [folder, roomsUsedBy(folder)])),
  );
});

/** The problem of a reference; undefined if its file declares the symbol. */
function problemOf(symbol: string, path: string): string | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch {
    return "there is no such file";
  }
  const names = symbol.split(".");
  const declares = path.endsWith(".sql") ? declaresInSql : declaresInTypeScript;
  const missing = names.find((name, index) => !declares(text, name, index > 0));
  return missing && `it does not declare ${missing}`;
}

function declaresInTypeScript(text: string, name: string, isMember: boolean): boolean {
  const member = `^\\s+(?:readonly |async |static )*${name}\\b[(:<= ]`;
  const own = `^export (?:async )?(?:function|class|const|interface|type) ${name}\\b`;
  return new RegExp(isMember ? member : own, "m").test(text);
}

function declaresInSql(text: string, name: string): boolean {
  return new RegExp(`^create .*(?:function|procedure|table) .*\\b${name}\\b`, "m").test(text);
}

/** The other folders of the library that the files of one import, in alphabetical order. */
function roomsUsedBy(folder: string): string[] {
  const rooms = walk([`${LIBRARY}/${folder}`], [".ts"])
    .flatMap((path) => readTypeScript(path, Deno.readTextFileSync(path)).imports)
    .filter((path) => path.startsWith(`${LIBRARY}/`))
    .map((path) => path.slice(LIBRARY.length + 1))
    .filter((path) => path.includes("/"))
    .map((path) => path.slice(0, path.indexOf("/")));
  return [...new Set(rooms)].filter((room) => room !== folder).sort();
}
