/** A zod that is too old, beside the package or in place of the one that it needs. */

import { assertMatch } from "@std/assert";
import { nodePath } from "../support/engines.ts";
import { installedPackage, type TemporaryFolder } from "../support/package.ts";

let folder: TemporaryFolder;
Deno.test.beforeAll(async () => {
  folder = await installedPackage(["zod@4.6.7", "old-zod@npm:zod@3.25.76"]);
});
Deno.test.afterAll(async () => await folder[Symbol.asyncDispose]());

/** The text that a program writes to stderr as it fails. */
async function failureOf(program: string): Promise<string> {
  await folder.write("program.js", program);
  return (await folder.run(await nodePath(22), ["program.js"], { mayFail: true })).stderr;
}

Deno.test("a schema of another zod 3 is refused by name", async () => {
  const program = `import { defineMessage } from "symphony-messenger";
    import { z } from "old-zod";
    defineMessage({ type: "Old", schema: z.object({}), handler: () => {} });`;
  assertMatch(
    await failureOf(program),
    /Old: schema: has to be a zod schema, of zod 4; `z` of symphony-messenger makes one/,
  );
});

Deno.test("each export says that it needs zod 4 where it finds zod 3", async () => {
  const modules = `${folder.path}/node_modules`;
  await Deno.rename(`${modules}/zod`, `${modules}/new-zod`);
  await Deno.rename(`${modules}/old-zod`, `${modules}/zod`);
  for (const subpath of ["", "/edge", "/testing"]) {
    assertMatch(
      await failureOf(`import "symphony-messenger${subpath}";`),
      /Error: zod: symphony-messenger needs zod 4 and got an older one/,
      subpath,
    );
  }
});
