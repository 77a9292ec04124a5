/** The hooks with React 18; the other tests have React 19. */

import { assertEquals } from "@std/assert";
import { build } from "esbuild";
import { runProgram } from "../../support/programs.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
/** The folder of a package in the version 18, which import_map.json names. */
const folderOf = (name: string) => `${ROOT}node_modules/.deno/${name}@18.3.1/node_modules/${name}`;

Deno.test("with React 18 in StrictMode, two clicks are one message, which is followed to its end", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await build({
      entryPoints: [`${ROOT}tests/unit/client/fixtures/react_18.ts`],
      outfile: `${folder}/page.js`,
      ...{ bundle: true, format: "esm", platform: "neutral", mainFields: ["main"] },
      external: ["happy-dom"],
      alias: { react: folderOf("react"), "react-dom": folderOf("react-dom") },
      define: { "process.env.NODE_ENV": '"development"' },
      tsconfigRaw: "{}",
    });
    const args = ["--config=deno.json", "--lock=deno.dev.lock", `${folder}/page.js`];
    const { stdout } = await runProgram(Deno.execPath(), ["run", "-A", ...args]);
    assertEquals(JSON.parse(stdout), { react: "18", messages: 1, listeners: 0 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
