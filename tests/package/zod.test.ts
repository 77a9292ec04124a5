/** A zod that is too old, beside the package or in place of the one that it needs. */

import { assertEquals, assertMatch } from "@std/assert";
import { nodePath } from "../support/engines.ts";
import {
  installedPackage,
  publishedPackage,
  type TemporaryFolder,
  temporaryFolder,
} from "../support/package.ts";

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

Deno.test("a frontend that has zod 3 installs the client by the lines of docs/client.md", async () => {
  const page = await Deno.readTextFile("docs/client.md");
  const [, overrides = ""] = /```json\n("overrides": .*)\n```/.exec(page) ?? [];
  await using frontend = await temporaryFolder();
  const { name, version } = publishedPackage();
  const dependencies = JSON.stringify({ [name]: version, zod: "3.25.76" });
  await frontend.write(
    "package.json",
    `{ "private": true, "type": "module", "dependencies": ${dependencies}, ${overrides} }`,
  );
  await frontend.run("npm", ["install", "--ignore-scripts"]);
  await frontend.write(
    "program.js",
    `import { createMessengerClient } from "${name}/client"; console.log(typeof createMessengerClient);`,
  );
  const { stdout } = await frontend.run(await nodePath(22), ["program.js"]);
  assertEquals(stdout.trim(), "function");
});
