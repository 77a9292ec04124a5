/** The exports of the package, loaded by the engines that it is for. */

import { assertEquals, assertMatch } from "@std/assert";
import { denoPath, nodePath } from "../support/engines.ts";
import {
  installedPackage,
  publishedPackage,
  type TemporaryFolder,
  temporaryFolder,
} from "../support/package.ts";
import { npxSymphony } from "../support/package_command.ts";

const ZOD = "zod@4.6.7";

/** Imports all that a server uses, and has messages handled in memory. */
const LIBRARY_PROGRAM = `
import { defineMessage, HttpError, snooze, z } from "symphony-messenger";
import { createDispatch, createManagement, createTick } from "symphony-messenger/edge";
import { amqp } from "symphony-messenger/amqp";
import { createTestMessenger } from "symphony-messenger/testing";
import { createMessengerClient } from "symphony-messenger/client";

const Greeting = defineMessage({
  type: "Greeting",
  schema: z.object({ to: z.string() }),
  handler: ({ to }) => { if (to === "gone") throw new HttpError(410); },
});
const t = createTestMessenger({ messages: [Greeting] });
await t.dispatch(Greeting, { to: "Ada" });
await t.dispatch(Greeting, { to: "gone" });
const { handled, failed } = await t.drain();
const broker = amqp({ url: "amqp://127.0.0.1:9" });
const [{ problem }] = await broker.check([]);
const types = [createDispatch, createManagement, createTick, createMessengerClient, snooze].map((one) => typeof one);
console.log(JSON.stringify({ handled, failed, types, isRefused: /127.0.0.1:9: .*ECONNREFUSED/.test(problem) }));
`;
const LIBRARY_OUTPUT = { handled: 1, failed: 1, types: Array(5).fill("function"), isRefused: true };

const CLIENT_PROGRAM = `
import * as client from "symphony-messenger/client";
console.log(Object.keys(client).includes("createDispatcher"));
`;

/** The functions of a project, asked without a key. */
const FUNCTIONS_PROGRAM = `
const replies = [];
for (const name of ["dispatch", "tick", "messenger"]) {
  const { default: served } = await import(\`./functions/\${name}/index.ts\`);
  const response = await served.fetch(new Request(\`http://localhost/\${name}\`, { method: "POST" }));
  replies.push([response.status, (await response.json()).code]);
}
console.log(JSON.stringify(replies));
Deno.exit(0);
`;
const FUNCTIONS_ENV = {
  SUPABASE_URL: "http://127.0.0.1:9",
  SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_tests"}',
  SUPABASE_SECRET_KEYS: '{"default":"sb_secret_tests"}',
};

let folder: TemporaryFolder;
Deno.test.beforeAll(async () => void (folder = await installedPackage([ZOD])));
Deno.test.afterAll(async () => await folder[Symbol.asyncDispose]());

Deno.test("Node 22 loads every export, and handles messages in memory", async () => {
  await folder.write("library.js", LIBRARY_PROGRAM);
  const { stdout } = await folder.run(await nodePath(22), ["library.js"]);
  assertEquals(JSON.parse(stdout), LIBRARY_OUTPUT);
});

Deno.test("Node 20 runs the command, and loads the client", async () => {
  await folder.write("client.js", CLIENT_PROGRAM);
  const node = await nodePath(20);
  assertEquals((await folder.run(node, ["client.js"])).stdout.trim(), "true");
  const command = "node_modules/.bin/symphony-messenger";
  const { version } = publishedPackage();
  assertEquals((await folder.run(node, [command, "--version"])).stdout.trim(), version);
  const { code, stderr } = await folder.run(node, [command, "stats"], { mayFail: true });
  assertEquals(code, 2);
  assertMatch(stderr, /SUPABASE_URL: is not set/);
});

Deno.test("Node 20 writes the types of a project's messages, which the oldest Deno loads", async () => {
  const { name, version } = publishedPackage();
  const imports = { [name]: `npm:${name}@${version}`, zod: `npm:${ZOD}` };
  await folder.write("supabase/config.toml", 'project_id = "p"\n');
  await folder.write("supabase/functions/_messages/import_map.json", JSON.stringify({ imports }));
  await folder.write("supabase/functions/_messages/mod.ts", MESSAGES);
  const command = ["node_modules/.bin/symphony-messenger", "types", "--all"];
  const args = [...command, "--deno", await denoPath("2.1.4")];
  const { stdout } = await folder.run(await nodePath(20), args);
  assertEquals(stdout, "messenger.gen.ts: written, 1 message\n");
  const text = await Deno.readTextFile(`${folder.path}/messenger.gen.ts`);
  assertMatch(text, / {2}Greeting: \{\n {4}payload: \{\n {6}to: string;\n/);
});

Deno.test("npx runs the command from the registry", async () => {
  await using folder = await temporaryFolder();
  const { stdout } = await npxSymphony(["--help"], { cwd: folder.path });
  assertMatch(stdout, /^Usage: symphony-messenger/);
});

for (const version of [null, "2.1.4"] as const) {
  Deno.test(`a project's functions import the package on Deno ${version ?? "2.9"}`, async () => {
    await using folder = await temporaryFolder();
    const { name, version: ours } = publishedPackage();
    const imports = {
      [name]: `npm:${name}@${ours}`,
      [`${name}/`]: `npm:/${name}@${ours}/`,
      zod: `npm:${ZOD}`,
    };
    await folder.write("functions/_messages/import_map.json", JSON.stringify({ imports }));
    await folder.write("functions/_messages/mod.ts", MESSAGES);
    await folder.write("program.ts", FUNCTIONS_PROGRAM);
    for (const [name, create] of Object.entries(CREATORS)) {
      const config = { importMap: "../_messages/import_map.json" };
      await folder.write(`functions/${name}/deno.json`, JSON.stringify(config));
      await folder.write(`functions/${name}/index.ts`, entryOf(create));
    }
    const { stdout } = await folder.run(
      version === null ? Deno.execPath() : await denoPath(version),
      [
        ...["run", "-A", "--no-lock", "--config", "functions/dispatch/deno.json"],
        // Deno 2.9 refuses a package that was published just now.
        ...version === null ? ["--minimum-dependency-age=0", "--check"] : [],
        "program.ts",
      ],
      { env: FUNCTIONS_ENV },
    );
    assertEquals(JSON.parse(stdout), Array(3).fill([401, "unauthorized"]));
  });
}

const CREATORS = { dispatch: "createDispatch", tick: "createTick", messenger: "createManagement" };

const MESSAGES = `import { defineMessage } from "symphony-messenger";
import { z } from "zod";

export const messages = [defineMessage({
  type: "Greeting",
  schema: z.object({ to: z.string() }),
  handler: ({ to }) => console.log(to.toUpperCase()),
})];
`;

const entryOf = (create: string) =>
  `import { ${create} } from "symphony-messenger/edge";
import * as project from "../_messages/mod.ts";

export default ${create}(project);
`;
