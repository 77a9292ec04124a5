/** `deno task dev`: functions restart when their code changes, and errors of broken files are shown. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type DevLoop, startDevLoop } from "../../local/dev_loop.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { createLocalProject } from "../support/local_project.ts";
import { eventually } from "../support/stack.ts";

const MESSAGES = "supabase/functions/_messages";

/** A message whose handler logs a greeting. */
function greeting(words: string): string {
  return `
    import { z } from "zod";
    import { defineMessage } from "../_shared/symphony/index.ts";
    export const Greeting = defineMessage({
      type: "Greeting",
      schema: z.object({}),
      handler: (_, { log }) => log.info("greeted", { words: "${words}", place: "here" }),
    });
  `;
}

const project = await createLocalProject();
const printed: string[] = [];
let database: TestDatabase;
let loop: DevLoop;

Deno.test.beforeAll(async () => {
  const source = new URL("../../supabase", import.meta.url).pathname;
  await Deno.copyFile(`${source}/config.toml`, `${project.dir}/supabase/config.toml`);
  await copyFolder(`${source}/functions`, `${project.dir}/supabase/functions`);
  await project.write(`${MESSAGES}/greeting.ts`, greeting("hello"));
  await project.write(
    `${MESSAGES}/mod.ts`,
    `import { Greeting } from "./greeting.ts";\nexport const messages = [Greeting];`,
  );
  await project.write("settings/import_map.json", "{}");
  database = await createTestDatabase();
  loop = await startDevLoop({
    stack: {
      projectDir: project.dir,
      dataDir: `${project.dir}/.local`,
      postgres: { url: database.url },
      migrate: false,
      cron: false,
      net: false,
    },
    print: (text) => printed.push(text),
    alsoWatched: [`${project.dir}/settings/import_map.json`],
  });
});
Deno.test.afterAll(async () => {
  await loop.stop();
  await database.drop();
  await project.remove();
});

/** The loop lives on from test to test. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** Copies a folder; the files of the copy can be changed. */
async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

function onListen(): void {}

async function post(name: string, body: unknown): Promise<Response> {
  return await fetch(`${loop.stack.url}/functions/v1/${name}`, {
    method: "POST",
    headers: { apikey: loop.stack.secretKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Lines printed since then, as soon as one of them matches. */
async function linesUntil(from: number, pattern: RegExp): Promise<string[]> {
  return await eventually(
    () => Promise.resolve(printed.slice(from)),
    (lines) => lines.some((line) => pattern.test(line)),
  );
}

/** Writes a file and waits for the loop's own line about it. */
async function save(path: string, text: string): Promise<string> {
  const from = printed.length;
  await project.write(`${MESSAGES}/${path}`, text);
  const lines = await linesUntil(from, new RegExp(` dev .*${path.replaceAll(".", "\\.")}.*: `));
  return lines.join("\n");
}

/** Dispatches a message and returns the line that its handler logs. */
async function greet(type = "Greeting", logs = /greeted/): Promise<string> {
  const from = printed.length;
  await start(type);
  return (await linesUntil(from, logs)).find((line) => logs.test(line)) ?? "";
}

/** Dispatches a message and calls a tick; `wait`: until its handler is done. */
async function start(type: string, wait = true): Promise<void> {
  const dispatched = await post("dispatch", { type, payload: {} });
  assertEquals([dispatched.status, await dispatched.text()].slice(0, 1), [202]);
  await (await post("tick", { wait })).body?.cancel();
}

test("a log line shows time, function, level, event and fields", async () => {
  const line = await greet();
  assert(/^\d\d:\d\d:\d\d\.\d{3} tick {6}info {2}greeted /.test(line), line);
  assertStringIncludes(line, " words=hello place=here");
});

test("a changed handler handles the next message, and Postgres keeps running", async () => {
  const [before] = await database.sql`select pg_postmaster_start_time() as at`;
  const postgrest = loop.stack.postgrestUrl;
  await save("greeting.ts", greeting("good morning"));
  assertStringIncludes(await greet(), `words="good morning"`);
  const [after] = await database.sql`select pg_postmaster_start_time() as at`;
  assertEquals([after, loop.stack.postgrestUrl], [before, postgrest]);
});

test("a broken file is shown once with its error, answered 503 until it is mended", async () => {
  const lines = await save("greeting.ts", `${greeting("broken")} const = 1;`);
  assertEquals(lines.match(/Unexpected token/g)?.length, 1, lines);
  assertStringIncludes(lines, `${MESSAGES}/greeting.ts:`);
  assertStringIncludes(lines, "dispatch, messenger, tick did not start; waiting for a change");
  assertEquals((await post("dispatch", { type: "Greeting", payload: {} })).status, 503);

  assertStringIncludes(await save("greeting.ts", greeting("mended")), "started in ");
  assertStringIncludes(await greet(), "words=mended");
});

test("a file that throws while it is loaded is shown with its message", async () => {
  const lines = await save("greeting.ts", `${greeting("")}\nthrow new Error("no key is set");`);
  assertStringIncludes(lines, "no key is set");
  await save("greeting.ts", greeting("back"));
  assertStringIncludes(await greet(), "words=back");
});

test("a changed import map restarts the functions, and no other file beside it does", async () => {
  const from = printed.length;
  await project.write("settings/notes.md", "x");
  // As editors save: another file takes its place.
  await project.write("settings/import_map.json.new", `{ "imports": {} }`);
  const path = `${project.dir}/settings/import_map.json`;
  await Deno.rename(`${path}.new`, path);
  const lines = await linesUntil(from, / dev .*: started in /);
  assertEquals(lines.filter((line) => / dev /.test(line)).length, 1, lines.join("\n"));
  assertStringIncludes(lines.join("\n"), " import_map.json: started in ");
});

test("a file that an editor keeps for itself restarts nothing", async () => {
  const from = printed.length;
  await project.write(`${MESSAGES}/.greeting.ts.swp`, "");
  await project.write(`${MESSAGES}/greeting.ts~`, "");
  assertStringIncludes(await save("greeting.ts", greeting("hello")), "started in ");
  const own = printed.slice(from).filter((line) => line.includes(" dev "));
  assertEquals(own.length, 1, own.join("\n"));
});

test("a new file in a new folder, and the list that names it, serve the next message", async () => {
  const farewell = greeting("so long").replaceAll("Greeting", "Farewell");
  await project.write(
    `${MESSAGES}/later/farewell.ts`,
    farewell.replace("../_shared", "../../_shared"),
  );
  const both = `
    import { Greeting } from "./greeting.ts";
    import { Farewell } from "./later/farewell.ts";
    export const messages = [Greeting, Farewell];`;
  assertStringIncludes(await save("mod.ts", both), "started in ");
  assertStringIncludes(await greet("Farewell"), `words="so long"`);

  assertStringIncludes(await save("mod.ts", `${both} export { all } from "./all.ts";`), "all.ts");
  assertStringIncludes(await save("all.ts", "export const all = 1;"), "started in ");
  assertStringIncludes(await greet("Farewell"), `words="so long"`);
});

test("a handler at work finishes with its code, while a changed one takes the next message", async () => {
  const asked = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  await using outside = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, async () => {
    asked.resolve();
    await release.promise;
    return new Response("on");
  });
  const waits = `await (await fetch("http://127.0.0.1:${outside.addr.port}")).text();`;
  const slow = greeting("old").replace("(_, { log }) =>", `async (_, { log }) => { ${waits} return`)
    .replace(/(place: "here" }\)),/, "$1; },");
  assertStringIncludes(await save("greeting.ts", slow), "started in ");
  const from = printed.length;
  await start("Greeting", false);
  await asked.promise;
  assertStringIncludes(await save("greeting.ts", greeting("new")), "started in ");
  assertStringIncludes(await greet(), "words=new");
  release.resolve();
  await linesUntil(from, /words=old/);
  const left = () => database.sql`select id from messenger_messages`;
  assertEquals([...await eventually(left, ({ length }) => length === 0)], []);
  assertEquals([...await database.sql`select id from messenger_failed_messages`], []);
});
