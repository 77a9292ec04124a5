/** The doctor over a project's files of generated types. */

import { assertEquals } from "@std/assert";
import { checkTypes } from "../../../../cli/doctor/types.ts";
import { say } from "../../../support/cli.ts";
import { moduleText, TWO, typedProject } from "../fixtures/typed_project.ts";

Deno.test("drift of the generated types is told with the command that mends it", async () => {
  await using project = await typedProject(TWO);
  assertEquals(await checkTypes(project.root, undefined), []);
  await say(["types", "--workdir", project.root]);
  const [fine] = await checkTypes(project.root, undefined);
  assertEquals([fine?.name, fine?.ok, fine?.found], [
    "generated types: messenger.gen.ts",
    true,
    "1 up to date",
  ]);
  const module = "supabase/functions/_messages/mod.ts";
  await project.write(module, moduleText(TWO.replace("z.uuid()", "z.int()")));
  const [stale] = await checkTypes(project.root, undefined);
  assertEquals([stale?.ok, stale?.found, stale?.command], [
    false,
    "~ Render",
    "npx symphony-messenger types",
  ]);
  await project.write(module, "export {");
  const [broken] = await checkTypes(project.root, undefined);
  assertEquals([broken?.ok, broken?.found], [false, "not compared"]);
});
