/** The hooks as a browser gets them. */

import { assertEquals } from "@std/assert";
import { build } from "esbuild";
import { writeFrontends } from "../../../package/javascript.ts";

const ROOT = new URL("../../../", import.meta.url).pathname;
const folder = await Deno.makeTempDir();
Deno.test.beforeAll(async () => void await writeFrontends(folder));
Deno.test.afterAll(async () => await Deno.remove(folder, { recursive: true }));

const CLIENT = `export * from "${folder}/lib/client.js";`;
const HOOKS = `export * from "${folder}/lib/react.js";`;
const REACT = 'export * as React from "react";';

/** A page with this content, minified. */
async function bundle(contents: string, external: string[] = []): Promise<string> {
  const { outputFiles: [file] } = await build({
    stdin: { contents, resolveDir: ROOT, loader: "ts" },
    // The folder is not below the project.
    nodePaths: [`${ROOT}node_modules`],
    ...{ bundle: true, minify: true, format: "esm", target: "es2022", write: false, external },
    define: { "process.env.NODE_ENV": '"production"' },
    tsconfigRaw: "{}",
  });
  return file?.text ?? "";
}

async function gzippedSize(contents: string): Promise<number> {
  const zipped = new Blob([await bundle(contents)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return (await new Response(zipped).bytes()).length;
}

Deno.test("the hooks add less than 2 kB with gzip to a page with React and the client", async () => {
  const added = await gzippedSize(CLIENT + REACT + HOOKS) - await gzippedSize(CLIENT + REACT);
  assertEquals([added < 2_000, added], [true, added]);
});

Deno.test("the hooks import React alone, and bring no copy of it", async () => {
  const text = await bundle(HOOKS, ["react"]);
  assertEquals(text.match(/from"[^"]*"/g), ['from"react"']);
});
