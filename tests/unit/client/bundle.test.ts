/** The client as a browser gets it: the page's bundler takes what it needs of the built package. */

import { gzipSync } from "node:zlib";
import { assertEquals } from "@std/assert";
import { build } from "esbuild";
import ts from "typescript";
import { INTERNAL_PROPERTIES } from "../../../package/frontend.ts";
import { writeFrontends } from "../../../package/javascript.ts";
import { runProgram } from "../../support/programs.ts";

const root = new URL("../../../", import.meta.url).pathname;
const folder = await Deno.makeTempDir();
Deno.test.beforeAll(async () => void await writeFrontends(folder));
Deno.test.afterAll(async () => await Deno.remove(folder, { recursive: true }));

/** Everything but the batches, which are a function of their own. */
const CLIENT = [
  "createMessengerClient",
  "createDispatcher",
  "isMessengerError",
  "MessengerError",
  "message",
];

/** A page that uses these names of the client. */
function pageOf(names: readonly string[]): string {
  return `import { ${names} } from "${folder}/lib/client.js"; page(${names});`;
}

/** A page as esbuild builds it. */
async function bundle(contents: string): Promise<string> {
  const { outputFiles: [file] } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", write: false },
    tsconfigRaw: "{}",
  });
  return file?.text ?? "";
}

/** A page as Vite builds it. Vite runs in a process of its own: it changes how React schedules its work. */
async function bundleWithVite(contents: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/page.js`, contents);
  const script = `${root}tests/unit/client/fixtures/vite_page.ts`;
  const args = ["--config=deno.json", "--lock=deno.dev.lock", script, folder];
  return (await runProgram(Deno.execPath(), ["run", "-A", ...args])).stdout;
}

const sizeOf = (text: string) => gzipSync(text, { level: 9 }).length;

Deno.test("a page that Vite builds gets less than 5 kB of the client with gzip, which imports nothing", async () => {
  const text = await bundleWithVite(pageOf(CLIENT));
  const size = sizeOf(text);
  assertEquals([size < 5_000, size], [true, size]);
  assertEquals(text.match(/\bimport\b/g), null);
});

Deno.test("a page that esbuild builds gets less than 5.25 kB of the client with gzip", async () => {
  const size = sizeOf(await bundle(pageOf(CLIENT)));
  assertEquals([size < 5_250, size], [true, size]);
});

Deno.test("batches add less than 1 kB with gzip, to pages that use them", async () => {
  const text = await bundle(pageOf(CLIENT));
  assertEquals(text.includes("onSucceeded"), false);
  const added = sizeOf(await bundle(pageOf([...CLIENT, "createBatches"]))) - sizeOf(text);
  assertEquals([added < 1_000, added], [true, added]);
});

Deno.test("a page that only dispatches gets less than 2.05 kB with gzip", async () => {
  const size = sizeOf(await bundle(pageOf(["createDispatcher"])));
  assertEquals([size < 2_050, size], [true, size]);
});

Deno.test("neither zod nor a handler gets into a frontend that imports a definition as a type", async () => {
  const text = await bundle('export * from "./tests/unit/client/fixtures/frontend.ts"');
  assertEquals(text.includes("EmailMessage"), true);
  assertEquals(/MAIL_API|zod|safeParse/.test(text), false);
});

/** Interfaces that no caller sees. */
const INTERNAL = ["Entry", "LiveUpdates", "Poller", "Store"];

/** Names of the properties and methods that the types of a file declare. */
function declaredIn(path: string): string[] {
  const names: string[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isInterfaceDeclaration(node) && INTERNAL.includes(node.name.text)) return;
    if (ts.isTypeElement(node) && node.name) names.push(node.name.getText());
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, Deno.readTextFileSync(path), ts.ScriptTarget.ES2022, true));
  return names;
}

Deno.test("no property that callers or the server name is shortened", async () => {
  const { inputs } = await writeFrontends(folder);
  const types = ["message/followed-message", "message/followed-batch", "scheduler/own-schedule"]
    .concat("scheduler/schedule-options")
    .map((name) => `supabase/functions/_shared/symphony/${name}.ts`);
  const names = [...Object.keys(inputs), ...types].flatMap((path) => declaredIn(root + path));
  assertEquals([names.includes("idempotencyKey"), names.includes("createdAt")], [true, true]);
  assertEquals(names.filter((name) => INTERNAL_PROPERTIES.test(name)), []);
});
