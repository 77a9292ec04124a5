/**
 * The client and the hooks as frontends compile and load them: each kind of project with the compiler options of its
 * template, and the declarations checked too (`skipLibCheck: false`). types.test.ts has Node and Deno.
 */

import { assertEquals } from "@std/assert";
import { nodePath } from "../support/engines.ts";
import { NEXT, RUN_PROGRAM, SUPABASE, VITE } from "./frontend_projects.ts";
import { installedPackage, type TemporaryFolder } from "../support/package.ts";

/** supabase-js wants Node's types in browsers as well; the client must not. */
const SUPABASE_OWN = /^node_modules\/(supabase-[^/]+\/node_modules\/)?@supabase\//;

let folder: TemporaryFolder;
Deno.test.beforeAll(async () => {
  folder = await installedPackage([
    ...["typescript@5.9.3", "publint@0.3.25", "vite@8.3.8"],
    ...["react@19.3.1", "@types/react@19.3.0"],
    `${SUPABASE.oldest}@npm:@supabase/supabase-js@2.109.0`,
    // Programs for other platforms, which no compiler needs.
    "--omit=optional",
  ]);
});
Deno.test.afterAll(async () => await folder[Symbol.asyncDispose]());

/** Writes a project, and returns the compiler's complaints. */
async function compile(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [path, text] of Object.entries(files)) await folder.write(`${name}/${path}`, text);
  const args = ["node_modules/typescript/bin/tsc", "--project", name, "--pretty", "false"];
  const { stdout } = await folder.run(await nodePath(22), args, { mayFail: true });
  return stdout.split("\n").filter((line) => !SUPABASE_OWN.test(line)).join("\n");
}

Deno.test("a Vite project with React compiles, with the oldest supabase-js and the newest", async () => {
  assertEquals(await compile("vite", VITE), "");
});

Deno.test("a project of Next.js's app router compiles, with a server and a client component", async () => {
  assertEquals(await compile("next", NEXT), "");
});

for (const major of [20, 22] as const) {
  Deno.test(
    `Node ${major} imports and requires the client and the hooks`,
    async () => {
      await folder.write("run.js", RUN_PROGRAM);
      const { stdout } = await folder.run(await nodePath(major), ["run.js"]);
      assertEquals(JSON.parse(stdout), {
        names: true,
        reactNames: true,
        codes: ["unavailable", "unavailable"],
        isKnownToTheOther: [true, true],
      });
    },
  );
}

Deno.test("publint finds nothing wrong with the package", async () => {
  const args = ["node_modules/publint/src/cli.js", "node_modules/symphony-messenger", "--strict"];
  const { stdout, code } = await folder.run(await nodePath(22), args, { mayFail: true });
  assertEquals(code, 0, stdout);
});
