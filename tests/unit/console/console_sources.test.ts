/** The console's sources: nothing that came from a payload or an error becomes HTML, and the page stays small. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { basename } from "node:path";
import { buildConsole, importedBy } from "../../../package/console.ts";
import { consoleTypes, TYPES_FILE } from "../../../package/console_types.ts";
import { walk } from "../../../local/source_checks/walk.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
/** For all that the page loads unasked, in bytes of gzip. */
const LIMIT = 100_000;
/** For all that the first page loads. */
const FIRST_LIMIT = 65_000;

const BANNED = [
  ...["innerHTML", "outerHTML", "insertAdjacentHTML", "dangerouslySetInnerHTML"],
  ...["document.write", "createContextualFragment", "DOMParser", "srcdoc", "eval(", "new Function"],
  // The Content-Security-Policy forbids style attributes in HTML, and `javascript:` links.
  ...["javascript:", "setHTMLUnsafe"],
];

Deno.test("no source of the console makes HTML out of a text", () => {
  const found = walk([`${ROOT}console`], [".ts", ".tsx", ".html"])
    .filter((path) => !path.endsWith("openapi.gen.ts"))
    .flatMap((path) => {
      const text = Deno.readTextFileSync(path);
      return BANNED.filter((word) => text.includes(word)).map((word) => `${path}: ${word}`);
    });
  assertEquals(found, []);
});

Deno.test("the types of the API are those of docs/openapi.json", async () => {
  assertEquals(
    await Deno.readTextFile(TYPES_FILE),
    await consoleTypes(),
    "run: npx -y deno@2 task openapi",
  );
});

Deno.test({
  name:
    "the first page loads less than 65 kB gzipped, from no other host, and the ones behind it end below 100 kB",
  // esbuild's process outlives a build.
  sanitizeResources: false,
  sanitizeOps: false,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    try {
      const { outputs } = await buildConsole(folder);
      const page = await Deno.readTextFile(`${folder}/index.html`);
      const names = [...page.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, name]) => name ?? "");
      assert(names.length >= 3, page);
      let total = await gzipped(new TextEncoder().encode(page));
      for (const name of names) {
        assert(/^\.\/[\w.-]+$/.test(name), `${name} is no file beside the page`);
        total += await gzipped(await Deno.readFile(`${folder}/${name.slice(2)}`));
      }
      assert(total < FIRST_LIMIT, `the first page loads ${total} bytes`);
      const [later] = Object.entries(outputs)
        .find(([, { entryPoint }]) => entryPoint?.endsWith("pages/later-pages.ts")) ?? [""];
      const chunks = new Set([basename(later), ...importedBy(later, outputs)]);
      for (const name of chunks) {
        if (names.includes(`./${name}`)) continue;
        total += await gzipped(await Deno.readFile(`${folder}/${name}`));
      }
      assert(total < LIMIT, `the page loads ${total} bytes unasked`);
      assertStringIncludes(page, "default-src 'none'");
      assert(!/<style|<script>|\sstyle=/.test(page), "inline styles and scripts");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Bytes after gzip. */
async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return (await new Response(stream).arrayBuffer()).byteLength;
}
