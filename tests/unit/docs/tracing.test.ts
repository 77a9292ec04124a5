/** docs/tracing.md is followed word by word: what it shows has to be right where it is pasted. */

import { assert, assertEquals } from "@std/assert";
import { MARK } from "../../../cli/project/functions.ts";

const page = Deno.readTextFileSync("docs/tracing.md");
const { imports } = JSON.parse(Deno.readTextFileSync("import_map.json"));

Deno.test("the function that the page shows is known as ours by doctor and upgrade", () => {
  const [, first] = /```ts\n(.*)\n[^`]*createTick/.exec(page) ?? [];
  assertEquals(first, MARK);
});

Deno.test("the page names each package that the examples import, in the version that is tested", () => {
  const [, block = ""] = /```json\n([^`]*)```/.exec(page) ?? [];
  const shown: Record<string, string> = JSON.parse(`{${block}}`);
  const imported = ["otlp.ts", "sentry.ts"].flatMap((name) =>
    [...Deno.readTextFileSync(`examples/tracing/${name}`).matchAll(/ from "([^"]+)"/g)]
      .map(([, name = ""]) => name).filter((name) => name.startsWith("@"))
  );
  assert(imported.length > 4);
  assertEquals(shown, Object.fromEntries(imported.map((name) => [name, imports[name]])));
});
