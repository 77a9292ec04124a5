/** The package's types, as TypeScript in a Node project and Deno check them. */

import { assertEquals } from "@std/assert";
import { nodePath } from "../support/engines.ts";
import { DENO, NODE } from "./frontend_projects.ts";
import { installedPackage, publishedPackage, temporaryFolder } from "../support/package.ts";

const PROGRAM = `import {
  createMessenger, defineMessage, defineSchedule, type HandlerContext, type MessageDefinition, z,
} from "symphony-messenger";
import { createDispatch, createTick, type EdgeFunction, type Project } from "symphony-messenger/edge";
import { createTestMessenger } from "symphony-messenger/testing";
import { createMessengerClient, type MessengerClient } from "symphony-messenger/client";
import { createClient } from "@supabase/supabase-js";
import { z as ownZ } from "zod";

export const Greeting = defineMessage({
  type: "Greeting",
  schema: z.object({ to: ownZ.string() }),
  handler: ({ to }, context: HandlerContext) => context.log.info("greeted", { to: to.toUpperCase() }),
});
const project: Project = {
  messages: [Greeting],
  schedules: [defineSchedule(Greeting, { to: "Ada" }, {
    name: "daily", type: "cron", config: { cron: "0 9 * * *" }, timezone: "Europe/London",
  })],
};
export const served: readonly EdgeFunction[] = [createDispatch(project), createTick(project)];
export const supabase = createClient("http://127.0.0.1", "key");
export const messenger = createMessenger({ supabase, messages: [Greeting] });
export const client: MessengerClient = createMessengerClient(supabase);
export const definition: MessageDefinition = Greeting;
export async function test(): Promise<void> {
  const t = createTestMessenger({ messages: [Greeting] });
  await t.dispatch(Greeting, { to: "Ada" });
  // @ts-expect-error: the payload has no such field
  await t.dispatch(Greeting, { too: "Ada" });
}
`;

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    // TypeScript's own are not in question.
    skipDefaultLibCheck: true,
    noEmit: true,
    target: "es2022",
    module: "nodenext",
    types: ["node"],
  },
  include: ["*.ts", "*.mts", "*.cts"],
};

Deno.test("tsc accepts a Node project in strict mode, in both module formats, and every declaration with it", async () => {
  await using folder = await installedPackage([
    ...["zod@4.6.7", "typescript@5.9.3", "@types/node@22.20.5", "@supabase/supabase-js@2.119.1"],
  ]);
  await folder.write("program.ts", PROGRAM);
  for (const [path, text] of Object.entries(NODE)) await folder.write(path, text);
  await folder.write("tsconfig.json", JSON.stringify(TSCONFIG));
  const { stdout, code } = await folder.run(await nodePath(22), ["node_modules/.bin/tsc"], {
    mayFail: true,
  });
  assertEquals([stdout, code], ["", 0]);
});

Deno.test("deno check accepts a program over the import map that init writes", async () => {
  await using folder = await temporaryFolder();
  const { name, version } = publishedPackage();
  const imports = {
    [name]: `npm:${name}@${version}`,
    [`${name}/`]: `npm:/${name}@${version}/`,
    zod: "npm:zod@4.6.7",
    "@supabase/supabase-js": "npm:@supabase/supabase-js@2.119.1",
  };
  await folder.write("deno.json", JSON.stringify({ imports }));
  await folder.write("program.ts", PROGRAM);
  for (const [path, text] of Object.entries(DENO)) await folder.write(path, text);
  const args = ["check", "--no-lock", "--minimum-dependency-age=0", "program.ts", "client.ts"];
  const { code, stderr } = await folder.run(Deno.execPath(), args, { mayFail: true });
  assertEquals(code, 0, stderr);
});
