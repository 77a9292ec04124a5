/** The TypeScript of README and docs compiles as printed, in the surroundings of tests/support/docs. */

import { assert, assertEquals } from "@std/assert";
import { runProgram } from "../../support/programs.ts";
import { blocksOf, moduleOf } from "../../support/docs/blocks.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("each block of TypeScript in README and docs compiles as printed", async () => {
  const pages = ["README.md", ...[...Deno.readDirSync("docs")].map(({ name }) => `docs/${name}`)]
    .filter((path) => path.endsWith(".md"));
  const blocks = pages.flatMap((page) => blocksOf(page, Deno.readTextFileSync(page)));
  assert(blocks.length > 80, `${blocks.length} blocks`);
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/deno.json`, await configOf());
    for (const block of blocks) {
      const name = `${block.page.replace("/", ".")}.${block.line}.${block.isJsx ? "tsx" : "ts"}`;
      await Deno.writeTextFile(`${folder}/${name}`, moduleOf(block, ROOT.href));
    }
    // The versions that the checkout is tested with, in a copy, because a check may add to it.
    await Deno.copyFile("deno.dev.lock", `${folder}/deno.lock`);
    const args = ["check", "--config", `${folder}/deno.json`, "--quiet", folder];
    const { stderr } = await runProgram(Deno.execPath(), args, {
      mayFail: true,
      env: { NO_COLOR: "1" },
    });
    assertEquals(stderr.replaceAll(`file://${folder}/`, ""), "");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** The checkout's configuration without the rules that a piece of code, being one, does not keep. */
async function configOf(): Promise<string> {
  const { compilerOptions } = JSON.parse(await Deno.readTextFile("deno.json"));
  const { noUnusedLocals: _, noUnusedParameters: __, noImplicitReturns: ___, ...kept } =
    compilerOptions;
  return JSON.stringify({
    importMap: new URL("import_map.json", ROOT).href,
    nodeModulesDir: "none",
    compilerOptions: { ...kept, types: [new URL("examples/frontend/src/env.d.ts", ROOT).href] },
  });
}
