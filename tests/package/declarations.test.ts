/** The declarations that a frontend's compiler reads: how many there are, and that none is a server's. */

import { dirname, join } from "node:path/posix";
import { assertEquals } from "@std/assert";
import ts from "typescript";
import { EXPORTS } from "../../package/entries.ts";
import { installedPackage, type TemporaryFolder } from "../support/package.ts";

const OURS = "node_modules/symphony-messenger";
/** Files of the library that say what the function `dispatch` sends and takes. */
const WIRE = [
  "message/dead-reason",
  "message/followed-batch",
  "message/followed-message",
  "message/step-kind",
  "runtime/duration",
  "runtime/json",
  "scheduler/own-schedule",
  "scheduler/schedule-options",
];
/** Packages whose types a frontend has itself. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "./client": [],
  "./react": ["react"],
};
/** More than this has to be looked into: a file of another's was drawn in. */
const MOST_BYTES = 80_000;

let folder: TemporaryFolder;
Deno.test.beforeAll(async () => void (folder = await installedPackage([])));
Deno.test.afterAll(async () => await folder[Symbol.asyncDispose]());

for (const { subpath } of EXPORTS.filter(({ isDual }) => isDual)) {
  for (const condition of ["import", "require"] as const) {
    Deno.test(`the declarations of ${subpath} (${condition}) lead to none of the server, and to no zod`, async () => {
      const root = `${folder.path}/${OURS}`;
      const { exports } = JSON.parse(await Deno.readTextFile(`${root}/package.json`));
      const { files, packages } = await reachable(root, exports[subpath][condition].types);
      const others = [...files.keys()].map((path) => path.replace(/^types\/|\.d\.c?ts$/g, ""))
        .filter((path) => !path.startsWith("client/") && !WIRE.includes(path));
      assertEquals(others, []);
      assertEquals([...packages].sort(), PACKAGES[subpath]);
      const endings = new Set([...files.keys()].map((path) => /\.d\.(.*)$/.exec(path)?.[1]));
      assertEquals([...endings], [condition === "import" ? "ts" : "cts"]);
      const bytes = [...files.values()].reduce((sum, text) => sum + text.length, 0);
      console.log(`${subpath} (${condition}): ${files.size} declarations, ${bytes} bytes`);
      assertEquals(bytes < MOST_BYTES, true, `${bytes} bytes`);
    });
  }
}

/** The files that a declaration leads to with their texts, and the packages that they import. */
async function reachable(root: string, entry: string) {
  const files = new Map<string, string>();
  const packages = new Set<string>();
  const waiting = [join(entry)];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (files.has(path)) continue;
    const text = await Deno.readTextFile(`${root}/${path}`);
    files.set(path, text);
    const { importedFiles, typeReferenceDirectives } = ts.preProcessFile(text);
    for (const { fileName } of [...importedFiles, ...typeReferenceDirectives]) {
      if (!fileName.startsWith(".")) packages.add(fileName);
      else waiting.push(join(dirname(path), fileName.replace(/\.(c?)js$/, ".d.$1ts")));
    }
  }
  return { files, packages };
}
