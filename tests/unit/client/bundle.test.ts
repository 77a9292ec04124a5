/** The client as a browser gets it. */

import { assertEquals } from "@std/assert";
import { build } from "esbuild";

const root = new URL("../../../", import.meta.url).pathname;

/** A module of the client, minified, and its size with gzip. */
async function bundle(contents: string): Promise<{ text: string; size: number }> {
  const { outputFiles: [file] } = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", write: false },
    tsconfigRaw: "{}",
  });
  const text = file?.text ?? "";
  const zipped = new Response(text).body?.pipeThrough(new CompressionStream("gzip"));
  return { text, size: (await new Response(zipped).bytes()).length };
}

/** Everything but the batches, which are a function of their own. */
const CLIENT =
  'export { createMessengerClient, createDispatcher, isMessengerError, MessengerError, message } from "./client/mod.ts"';
const BATCHES = '; export { createBatches } from "./client/mod.ts"';

Deno.test("the client takes less than 6.2 kB with gzip, and imports nothing", async () => {
  const { text, size } = await bundle(CLIENT);
  assertEquals([size < 6_200, size], [true, size]);
  assertEquals(text.match(/\bimport\b/g), null);
});

Deno.test("batches add less than 1 kB with gzip, to pages that use them", async () => {
  const { text, size } = await bundle(CLIENT);
  assertEquals(text.includes("onSucceeded"), false);
  const added = (await bundle(CLIENT + BATCHES)).size - size;
  assertEquals([added < 1_000, added], [true, added]);
});

Deno.test("a page that only dispatches gets less than 2.4 kB with gzip", async () => {
  const { size } = await bundle('export { createDispatcher } from "./client/mod.ts"');
  assertEquals([size < 2_400, size], [true, size]);
});

Deno.test("neither zod nor a handler gets into a frontend that imports a definition as a type", async () => {
  const { text } = await bundle('export * from "./tests/unit/client/fixtures/frontend.ts"');
  assertEquals(text.includes("EmailMessage"), true);
  assertEquals(/MAIL_API|zod|safeParse/.test(text), false);
});
