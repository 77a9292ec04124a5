/** The command `types` in a user's project: what it writes and where, and how it tells drift. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { say } from "../../../support/cli.ts";
import { moduleText, TWO, type TypedProject, typedProject } from "../fixtures/typed_project.ts";

const ROOT = new URL("../../../..", import.meta.url).pathname;
const MODULE = "supabase/functions/_messages/mod.ts";

function types({ root }: TypedProject, ...flags: string[]) {
  return say(["types", "--workdir", root, ...flags]);
}

Deno.test("the types go to src/ and are found there again, and --check tells drift by its types", async () => {
  await using project = await typedProject(TWO);
  await project.write("src/main.ts", "");
  assertEquals(await types(project), {
    code: 0,
    out:
      "src/messenger.gen.ts: written, 1 message; left out 1 that only secret keys may dispatch (--all)",
    err: "",
  });
  const text = await project.read("src/messenger.gen.ts");
  assertMatch(text, /Render: \{\n {4}payload: \{\n {6}id: string;\n/);
  assertEquals(text.includes("Bill"), false);
  assertEquals(
    (await types(project, "--check")).out,
    "src/messenger.gen.ts: up to date, 1 message",
  );

  await project.write(MODULE, moduleText(TWO.replace('"Bill"', '"Bill", access: "anonymous"')));
  const stale = await types(project, "--check");
  assertEquals(stale.code, 1);
  assertStringIncludes(stale.err, "error: src/messenger.gen.ts: + Bill\n");
  assertEquals(await project.read("src/messenger.gen.ts"), text);
  assertEquals((await types(project)).out, "src/messenger.gen.ts: + Bill, 2 messages");
});

Deno.test("each file keeps its own options, and a formatted one stays as it is", async () => {
  await using project = await typedProject(TWO);
  await types(project);
  await types(project, "--out", `${project.root}/server/all.gen.ts`, "--all");
  const formatted = (await project.read("messenger.gen.ts")).replaceAll(";\n", "\n");
  await project.write("messenger.gen.ts", formatted);
  const { out } = await types(project);
  assertEquals(out.split("\n"), [
    "messenger.gen.ts: unchanged, 1 message; left out 1 that only secret keys may dispatch (--all)",
    "server/all.gen.ts: unchanged, 2 messages",
  ]);
  assertEquals(await project.read("messenger.gen.ts"), formatted);
  const { code, err } = await types(project, "--all");
  assertEquals([code, err], [
    2,
    "error: --out: is missing; say which file is meant: messenger.gen.ts, server/all.gen.ts\n",
  ]);
});

Deno.test("another module of messages is remembered, and what it prints is not taken for the result", async () => {
  await using project = await typedProject("export const messages = [];");
  await project.write(
    "supabase/functions/_messages/more.ts",
    moduleText(`console.log("{}"); setInterval(() => {}, 1000); ${TWO}`),
  );
  const module = `${project.root}/supabase/functions/_messages/more.ts`;
  assertEquals((await types(project, "--messages", module, "--all")).code, 0);
  assertMatch(
    await project.read("messenger.gen.ts"),
    /--messages supabase\/functions\/_messages\/more\.ts/,
  );
  assertStringIncludes((await types(project, "--check")).out, "up to date, 2 messages");
});

Deno.test("a result that is kept has the type that its handler's value has in JSON, and drifts with it", async () => {
  await using project = await typedProject(`
    const rules = { access: "anonymous", schema: z.object({}), handler };
    const result = z.object({
      url: z.url(),
      pages: z.number().default(1),
      at: z.iso.datetime().optional(),
      kind: z.enum(["pdf", "png"]),
    });
    export const messages = [
      defineMessage({ ...rules, type: "Kept", keep: { for: "1h", result: true }, result }),
      defineMessage({ ...rules, type: "Any", keep: { for: "1h", result: true } }),
      defineMessage({ ...rules, type: "ForParents", result }),
    ];`);
  assertEquals((await types(project)).code, 0);
  const text = await project.read("messenger.gen.ts");
  const resultOf = (type: string) =>
    new RegExp(`${type}: \\{\n {4}payload: [^]*?\n {4}result: ([^]*?);\n {2}\\};`).exec(text)?.[1];
  assertEquals(
    resultOf("Kept")?.replace(/\s+/g, " "),
    '{ url: string; pages: number; at?: string | undefined; kind: "pdf" | "png"; }',
  );
  assertEquals([resultOf("Any"), resultOf("ForParents")], ["unknown", "unknown"]);
  const module = await project.read(MODULE);
  await project.write(MODULE, module.replace("pages: z.number()", "pages: z.string()"));
  assertStringIncludes((await types(project, "--check")).err, "messenger.gen.ts: ~ Kept\n");
});

Deno.test("a schema that JSON Schema cannot say is told, and its payload is unknown", async () => {
  await using project = await typedProject(`
    const id = { id: "same" };
    const schema = z.object({ a: z.object({}).meta(id), b: z.string().meta(id) });
    export const messages = [defineMessage({ type: "Odd", access: "anonymous", schema, handler })];`);
  const { code, err } = await types(project);
  assertEquals(code, 0);
  assertMatch(err, /^warning: Odd: its schema cannot be written as JSON Schema: .*same/);
  assertStringIncludes(await project.read("messenger.gen.ts"), "Odd: {\n    payload: unknown;\n");
});

Deno.test("a module that cannot be loaded, or has no messages, is named with the reason", async () => {
  await using project = await typedProject("export const messages = {};");
  const has = await types(project);
  assertEquals(has.code, 1);
  assertStringIncludes(
    has.err,
    `${MODULE}: cannot be loaded: messages: has to be exported, an array`,
  );
  await project.write(MODULE, moduleText(`export const messages = [{ type: "A" }];`));
  assertStringIncludes((await types(project)).err, "messages.0: has to be a definition");
  await project.write(MODULE, `throw new Error("MAIL_KEY is not set");`);
  assertStringIncludes((await types(project)).err, "cannot be loaded: MAIL_KEY is not set");
});

Deno.test("a file that is not ours is never written over, and wrong flags are named", async () => {
  await using project = await typedProject(TWO);
  await project.write("messenger.gen.ts", "export const mine = 1;\n");
  for (
    const [flags, problem] of [
      [[], "messenger.gen.ts: was not written by this command; remove it, or name another"],
      [["--out", "types.json"], "--out: has to be the name of a TypeScript file (types.json)"],
      [["--out", `${project.root}/a.ts`, "--messages", "no.ts"], "--messages: there is no"],
      [["--out", `${project.root}/a.ts`, "--deno", "/no/deno"], "--deno: does not run (/no/deno)"],
    ] as const
  ) {
    const { code, err } = await types(project, ...flags);
    assertEquals(code, 2, err);
    assertStringIncludes(err, problem);
  }
  const missing = await types(project, "--check", "--out", `${project.root}/a.ts`);
  assertEquals([missing.code, missing.err.split("\n")[0]], [1, "error: a.ts: is missing"]);
  assertEquals(await project.read("messenger.gen.ts"), "export const mine = 1;\n");
});

Deno.test("the generated types of the example are those of its definitions", async () => {
  const { code, out, err } = await say(["types", "--workdir", ROOT, "--check"]);
  assertEquals([code, err], [0, ""]);
  assertStringIncludes(out, "examples/frontend/src/messenger.gen.ts: up to date");
});
