/** Docs and README import as projects of users do; in a checkout the same lines lead to the source. */

import { assertEquals } from "@std/assert";
import { EXPORTS, NAME } from "../../../package/entries.ts";

Deno.test("each export of the package is found in a checkout under the package's name", () => {
  const { imports } = JSON.parse(Deno.readTextFileSync("import_map.json"));
  const expected = EXPORTS.map(({ subpath, source }) => [NAME + subpath.slice(1), `./${source}`]);
  const ours = Object.entries(imports).filter(([name]) => name.split("/")[0] === NAME);
  assertEquals(Object.fromEntries(ours), Object.fromEntries(expected));
});

Deno.test("no page imports from a path that only a checkout has", () => {
  const pages = ["README.md", ...[...Deno.readDirSync("docs")].map(({ name }) => `docs/${name}`)];
  const wrong = pages.filter((path) =>
    path.endsWith(".md") && / from "[^"]*_shared\/symphony/.test(Deno.readTextFileSync(path))
  );
  assertEquals(wrong, []);
});
